// Reads the journals of a phase (journal.ts says what is in them) into one history for each key.

package main

import (
	"bytes"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
)

type outcome string

// As in journal.ts.
const (
	done    outcome = "+"
	refused outcome = "-"
	either  outcome = "~"
	busy    outcome = "busy"
	maybe   outcome = "?"
	torn    outcome = "torn"
)

// participant is a process; Death is when its supervisor saw that it was dead, in ns, or 0.
type participant struct {
	Journal string
	Runtime string
	Number  int
	Death   int64
}

// phase is a segment and those who worked on it.
type phase struct {
	Name         string
	Evicts       bool
	Participants []participant
	// For the report.
	Kills, Stops, Takeovers, Evictions int64
	// Of the steps that were read: all, refused as BUSY, cut off by a death.
	steps, busy, cutOff int
}

// operation is one step of what a participant did.
type operation struct {
	by        *participant
	method    string
	name      string // of the primitive
	primitive primitive
	key       string
	arguments []int64
	outcome   outcome
	fields    []int64 // what it found
	call, ret int64   // ns
	evicts    bool    // in a segment that is full
}

func (op *operation) argument(i int) int64 { return op.arguments[i] }
func (op *operation) callMs() int64        { return op.call / 1e6 }
func (op *operation) returnMs() int64      { return op.ret / 1e6 }

// found: is value what the operation says it found? Yes if it doesn't say.
func (op *operation) found(i int, value int64) bool {
	return i >= len(op.fields) || op.fields[i] == value
}

// histories are the operations on each key in the order of their calls.
type histories map[string][]*operation

func readPhase(p *phase) (histories, error) {
	keys := histories{}
	var all []*operation
	for i := range p.Participants {
		operations, err := readJournal(&p.Participants[i])
		if err != nil {
			return nil, err
		}
		p.steps += len(operations)
		for _, op := range operations {
			switch op.outcome {
			case busy:
				p.busy++
			case maybe:
				p.cutOff++
			}
			op.evicts = p.Evicts
			if op.key == "*" {
				all = append(all, op)
			} else {
				keys[op.key] = append(keys[op.key], op)
			}
		}
	}
	for key, history := range keys {
		from, until := span(history)
		for _, op := range all {
			if op.ret >= from && op.call <= until {
				history = append(history, op)
			}
		}
		sort.Slice(history, func(a, b int) bool { return history[a].call < history[b].call })
		keys[key] = history
	}
	return keys, nil
}

func span(history []*operation) (from, until int64) {
	from, until = history[0].call, history[0].ret
	for _, op := range history {
		from, until = min(from, op.call), max(until, op.ret)
	}
	return from, until
}

func readJournal(by *participant) ([]*operation, error) {
	text, err := os.ReadFile(by.Journal)
	if err != nil {
		return nil, err
	}
	var operations, open []*operation
	for number, line := range strings.Split(string(text[:bytes.LastIndexByte(text, '\n')+1]), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case len(words) == 4 && words[0] == "C" && open == nil:
			if open, err = called(by, words); err == nil {
				operations = append(operations, open...)
			}
		case len(words) == 4 && words[0] == "R" && open != nil:
			err = returned(open, words)
			open = nil
		default:
			err = fmt.Errorf("out of order")
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w: %s", by.Journal, number+1, err, line)
		}
	}
	if open != nil && by.Death == 0 {
		return nil, fmt.Errorf("%s ends in the middle of an operation, but its participant was not killed", by.Journal)
	}
	for _, op := range open {
		op.outcome, op.ret = maybe, by.Death
	}
	return operations, nil
}

func called(by *participant, words []string) ([]*operation, error) {
	call, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return nil, err
	}
	var steps []*operation
	for _, step := range strings.Split(words[3], ";") {
		parts := strings.Split(step, ",")
		primitive, known := primitives[parts[0]]
		if !known || len(parts) < 2 {
			return nil, fmt.Errorf("no primitive is called %s", parts[0])
		}
		arguments, err := numbers(parts[2:])
		if err != nil {
			return nil, err
		}
		steps = append(steps, &operation{by: by, method: words[2], name: parts[0], primitive: primitive, key: parts[1],
			arguments: arguments, call: call})
	}
	return steps, nil
}

func returned(steps []*operation, words []string) error {
	began, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return err
	}
	ended, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil {
		return err
	}
	outcomes := strings.Split(words[3], ";")
	if len(outcomes) != len(steps) {
		return fmt.Errorf("%d outcomes of %d steps", len(outcomes), len(steps))
	}
	for i, op := range steps {
		parts := strings.Split(outcomes[i], ",")
		op.outcome, op.call, op.ret = outcome(parts[0]), began, ended
		if op.fields, err = numbers(parts[1:]); err != nil {
			return err
		}
	}
	return nil
}

func numbers(words []string) ([]int64, error) {
	var list []int64
	for _, word := range words {
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, err
		}
		list = append(list, number)
	}
	return list, nil
}
