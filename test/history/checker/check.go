// Asks porcupine whether some order of a key's operations explains all that they returned.

package main

import (
	"sort"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// One key's history takes milliseconds; what takes so long is undecided, which is a failure.
const keyTimeMax = 20 * time.Second

var model = (&porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{state{}} },
	Step: func(s, input, _ interface{}) []interface{} {
		var next []interface{}
		for _, s := range step(s.(state), input.(*operation)) {
			next = append(next, s)
		}
		return next
	},
	Hash: func(s interface{}) uint64 {
		known := s.(state)
		return uint64(known.value)*0x9e3779b97f4a7c15 ^ uint64(known.versionMin)*0xff51afd7ed558ccd ^ uint64(known.deadlineMax)
	},
}).ToModel()

func check(history []*operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(model, asOperations(history), keyTimeMax)
}

func asOperations(history []*operation) []porcupine.Operation {
	operations := make([]porcupine.Operation, len(history))
	for i, op := range history {
		operations[i] = porcupine.Operation{ClientId: op.by.Number, Input: op, Call: op.call, Return: op.ret}
	}
	return operations
}

type verdict struct {
	key    string
	result porcupine.CheckResult
	took   time.Duration
}

// checkAll checks each key's history, some at a time.
func checkAll(keys histories, workers int) []verdict {
	names := make(chan string)
	verdicts := make(chan verdict)
	var working sync.WaitGroup
	for i := 0; i < workers; i++ {
		working.Add(1)
		go func() {
			defer working.Done()
			for key := range names {
				begun := time.Now()
				result := check(keys[key])
				verdicts <- verdict{key, result, time.Since(begun)}
			}
		}()
	}
	go func() {
		for key := range keys {
			names <- key
		}
		close(names)
		working.Wait()
		close(verdicts)
	}()
	var all []verdict
	for v := range verdicts {
		all = append(all, v)
	}
	sort.Slice(all, func(a, b int) bool { return all[a].key < all[b].key })
	return all
}

// shortest is the shortest beginning of a history that no order explains.
func shortest(history []*operation) []*operation {
	returns := make([]int64, len(history))
	for i, op := range history {
		returns[i] = op.ret
	}
	sort.Slice(returns, func(a, b int) bool { return returns[a] < returns[b] })
	first := sort.Search(len(returns), func(i int) bool {
		return check(until(history, returns[i])) != porcupine.Ok
	})
	return until(history, returns[first])
}

// until is what was known at a time: what had not returned by then may have happened or not.
func until(history []*operation, time int64) []*operation {
	var beginning []*operation
	for _, op := range history {
		if op.call > time {
			break
		}
		if op.ret > time {
			cut := *op
			cut.ret, cut.outcome, cut.fields = time, maybe, nil
			op = &cut
		}
		beginning = append(beginning, op)
	}
	return beginning
}
