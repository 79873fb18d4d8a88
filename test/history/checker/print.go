// Histories as text.

package main

import (
	"fmt"
	"io"
	"sort"
	"strings"
)

// How much of a history is shown before the operation that nothing explains.
const operationsShown = 16

// explain prints the end of the shortest beginning of a history that no order explains, in the order of the calls.
func explain(to io.Writer, history []*operation) {
	beginning := shortest(history)
	last := beginning[0]
	for _, op := range beginning {
		if op.ret > last.ret || op.ret == last.ret && op.outcome != maybe {
			last = op
		}
	}
	shown := append([]*operation(nil), beginning...)
	sort.SliceStable(shown, func(a, b int) bool { return shown[a].ret < shown[b].ret })
	if len(shown) > operationsShown {
		shown = shown[len(shown)-operationsShown:]
	}
	sort.SliceStable(shown, func(a, b int) bool { return shown[a].call < shown[b].call })
	fmt.Fprintf(to, "#   %d operations before these are left out; times in µs, since the first that is shown\n",
		len(beginning)-len(shown))
	for _, op := range shown {
		mark := " "
		if op == last {
			mark = "!"
		}
		fmt.Fprintf(to, "# %s %s\n", mark, describe(op, shown[0].call))
	}
	fmt.Fprintln(to, "#   no order of all of these explains the one marked with !")
}

func describe(op *operation, from int64) string {
	words := make([]string, len(op.arguments))
	for i, argument := range op.arguments {
		words[i] = short(argument)
	}
	result := string(op.outcome)
	switch op.outcome {
	case done:
		result = "yes"
	case refused:
		result = "no"
	case either:
		result = "yes or no"
	case maybe:
		result = "no answer"
	}
	for _, field := range op.fields {
		result += " " + short(field)
	}
	method := op.method
	if op.name != op.method {
		method += "/" + op.name
	}
	return fmt.Sprintf("%10.1f %10.1f  %-4s %3d  %s(%s) -> %s", float64(op.call-from)/1e3, float64(op.ret-from)/1e3,
		op.by.Runtime, op.by.Number, method, strings.Join(words, ", "), result)
}

func short(number int64) string {
	if number >= textFrom {
		return fmt.Sprintf("text#%d", number-textFrom)
	}
	return fmt.Sprint(number)
}
