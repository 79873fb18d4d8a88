// What each primitive does to one key: the contract as a table. A step of a recorded operation is one of these.
//
// Time and space make the contract loose in four places, and only there:
//
//   deadlines   are counted from some instant of the call that gave them, in whole ms; so a state knows bounds of its
//               deadline, and each operation that finds the entry, or not, narrows them
//   eviction    in a segment that is full, an entry may be gone at any time; elsewhere never
//   death       an operation that its process's death cut off happened or not, but not later than that death
//   limbo       replace, compareAndSet and touch ask whether the entry is alive, then write; where its deadline falls in
//               between, and a reader looks just then, that reader finds it expired although it goes on living
//
// To add a primitive, add a row; operations.ts names it.

package main

import "math"

// textFrom is the least number that stands for a value which is not a number; as in values.ts.
const textFrom = 1 << 47

const never = math.MaxInt64

// state is what may be true of a key. Versions come from a counter that each store moves on: so they grow.
type state struct {
	present bool
	limbo   bool // expired, but whoever was called before that may have seen it alive; then the rest is kept
	exact   bool // the version is versionMin, not only at least that
	value   int64

	versionMin               int64
	deadlineMin, deadlineMax int64 // ms of the clock; never for none
}

// primitive says which states may follow. done: it answered yes, with what it found; refused: a miss, or a condition
// that was not met. Without fields, whatever it might have found counts.
type primitive struct {
	done, refused func(s state, op *operation) []state
}

var primitives = map[string]primitive{
	"get":     {done: find, refused: gone},
	"has":     {done: alive, refused: gone},
	"version": {done: findVersion, refused: gone},
	"ttl":     {done: findDeadline, refused: gone},
	"set": {done: func(s state, op *operation) []state {
		return one(stored(s, op, op.argument(0), op.argument(1)))
	}},
	"add": {done: func(s state, op *operation) []state {
		return each(gone(s, op), func(s state) state { return stored(s, op, op.argument(0), op.argument(1)) })
	}, refused: alive},
	"replace": {done: func(s state, op *operation) []state {
		return each(aliveOrLimbo(s, op), func(s state) state { return stored(s, op, op.argument(0), op.argument(1)) })
	}, refused: gone},
	"cas": {done: compareAndSet, refused: compareInVain},
	"delete": {done: func(s state, op *operation) []state {
		return each(alive(s, op), absent)
	}, refused: gone},
	"touch": {done: func(s state, op *operation) []state {
		return each(aliveOrLimbo(s, op), func(s state) state { return withDeadline(s, op, op.argument(0)) })
	}, refused: gone},
	"increment": {done: increment, refused: incrementInVain},
	"clear":     {done: func(s state, _ *operation) []state { return one(absent(s)) }},
}

// step gives the states that may follow s when op takes effect with its outcome.
func step(s state, op *operation) []state {
	next := outcomes(s, op)
	if op.evicts && s.present {
		next = append(next, outcomes(absent(s), op)...)
	}
	return next
}

func outcomes(s state, op *operation) []state {
	p := op.primitive
	switch op.outcome {
	case done:
		return p.done(s, op)
	case refused:
		return p.refused(s, op)
	case busy:
		return one(s)
	case either:
		return append(p.done(s, op), p.refused(s, op)...)
	case maybe:
		return append(p.done(s, op), s)
	default:
		return nil // torn
	}
}

func one(s state) []state { return []state{s} }

func each(states []state, change func(state) state) []state {
	for i, s := range states {
		states[i] = change(s)
	}
	return states
}

// alive: the entry was there at some instant of the call.
func alive(s state, op *operation) []state {
	if !s.present || op.callMs() >= s.deadlineMax {
		return nil
	}
	if s.deadlineMin != never {
		s.deadlineMin = max(s.deadlineMin, op.callMs()+1)
	}
	return one(s)
}

func aliveOrLimbo(s state, op *operation) []state {
	if s.limbo && op.callMs() < s.deadlineMax {
		return one(s)
	}
	return alive(s, op)
}

// gone: it was not there, or past its deadline, at some instant of the call.
func gone(s state, op *operation) []state {
	if !s.present {
		return one(s)
	}
	if op.returnMs() < s.deadlineMin {
		return nil
	}
	s.present, s.limbo = false, true
	s.deadlineMax = min(s.deadlineMax, op.returnMs())
	return one(s)
}

func absent(s state) state { return state{versionMin: s.versionMin} }

func stored(s state, op *operation, value, ttl int64) state {
	next := state{present: true, value: value, versionMin: s.versionMin + 1}
	return withDeadline(next, op, ttl)
}

// withDeadline: ttl ms after some instant of the call; 0 for none.
func withDeadline(s state, op *operation, ttl int64) state {
	s.present, s.limbo = true, false
	s.deadlineMin, s.deadlineMax = never, never
	if ttl != 0 {
		s.deadlineMin, s.deadlineMax = op.callMs()+ttl, op.returnMs()+ttl
	}
	return s
}

func find(s state, op *operation) []state {
	if !op.found(0, s.value) {
		return nil
	}
	return alive(s, op)
}

func findVersion(s state, op *operation) []state {
	if len(op.fields) < 2 {
		return alive(s, op)
	}
	var next []state
	for _, s := range find(s, op) {
		next = append(next, withVersion(s, op.fields[1])...)
	}
	return next
}

func withVersion(s state, version int64) []state {
	if version < s.versionMin || s.exact && version != s.versionMin {
		return nil
	}
	s.versionMin, s.exact = version, true
	return one(s)
}

// findDeadline: the field is the remaining time at some instant of the call, 0 for no deadline.
func findDeadline(s state, op *operation) []state {
	var next []state
	for _, s := range alive(s, op) {
		if len(op.fields) == 1 {
			remaining := op.fields[0]
			if (remaining == 0) != (s.deadlineMin == never) {
				continue
			}
			if remaining != 0 {
				s.deadlineMin = max(s.deadlineMin, op.callMs()+remaining)
				s.deadlineMax = min(s.deadlineMax, op.returnMs()+remaining)
			}
		}
		if s.deadlineMin <= s.deadlineMax {
			next = append(next, s)
		}
	}
	return next
}

func compareAndSet(s state, op *operation) []state {
	var next []state
	for _, s := range aliveOrLimbo(s, op) {
		next = append(next, withVersion(s, op.argument(2))...)
	}
	return each(next, func(s state) state { return stored(s, op, op.argument(0), op.argument(1)) })
}

func compareInVain(s state, op *operation) []state {
	next := gone(s, op)
	if s.exact && s.versionMin == op.argument(2) {
		return next
	}
	return append(next, alive(s, op)...)
}

func increment(s state, op *operation) []state {
	by, initial, ttl := op.argument(0), op.argument(1), op.argument(2)
	var next []state
	if s.value < textFrom && op.found(0, s.value+by) {
		next = each(alive(s, op), func(s state) state {
			s.value += by
			s.versionMin, s.exact = s.versionMin+1, false
			return s
		})
	}
	if op.found(0, initial+by) {
		next = append(next, each(gone(s, op), func(s state) state { return stored(s, op, initial+by, ttl) })...)
	}
	return next
}

// incrementInVain: there is something that is no number.
func incrementInVain(s state, op *operation) []state {
	if s.value < textFrom {
		return nil
	}
	return alive(s, op)
}
