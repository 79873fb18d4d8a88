// Shows that the check has teeth: takes recorded histories, which hold, changes an outcome at a place drawn by the seed, as
// a defect of the cache would, and expects each to be found wrong.
//
// A change shows for certain only where nothing else happened at the same time: so places are sought among operations that
// overlap no other one of their key.

package main

import (
	"math/rand"
	"sort"

	"github.com/anishathalye/porcupine"
)

// How many places of each kind are tried.
const placesTried = 12

// falsehood is one kind of change.
type falsehood struct {
	name string
	// apply changes what happened from position i of the history on, or returns nil if it is no place for that.
	apply func(h *scene, i int) []*operation
}

// scene is the history of a key. alone[i]: operation i overlaps no other.
type scene struct {
	history []*operation
	alone   []bool
}

var falsehoods = []falsehood{
	{"the results of two reads swapped", func(h *scene, i int) []*operation {
		first, last := h.at(i, "get", done), h.at(i+2, "get", done)
		if first == nil || last == nil || h.at(i+1, "", "") == nil || first.fields[0] == last.fields[0] {
			return nil
		}
		return h.with(change{i, done, last.fields}, change{i + 2, done, first.fields})
	}},
	{"a deleted value that comes back", func(h *scene, i int) []*operation {
		before, deleted, read := h.at(i, "get", done), h.at(i+1, "delete", done), h.at(i+2, "get", refused)
		if before == nil || deleted == nil || read == nil {
			return nil
		}
		return h.with(change{i + 2, done, before.fields})
	}},
	{"an increment that is lost", func(h *scene, i int) []*operation {
		first, second := h.at(i, "increment", done), h.at(i+1, "increment", done)
		if first == nil || second == nil {
			return nil
		}
		return h.with(change{i + 1, done, []int64{second.fields[0] - first.argument(0)}})
	}},
	{"a stale read after set returned", func(h *scene, i int) []*operation {
		before, stored, read := h.at(i, "get", done), h.at(i+1, "set", done), h.at(i+2, "get", done)
		if before == nil || stored == nil || read == nil {
			return nil
		}
		return h.with(change{i + 2, done, before.fields})
	}},
	{"a compareAndSet that succeeds twice", func(h *scene, i int) []*operation {
		won := h.at(i, "cas", done)
		for j := i + 1; won != nil && j < len(h.history); j++ {
			if lost := h.at(j, "cas", refused); lost != nil && lost.argument(2) == won.argument(2) {
				return h.with(change{j, done, nil})
			}
		}
		return nil
	}},
	{"a version that is used again", func(h *scene, i int) []*operation {
		before, stored, read := h.at(i, "version", done), h.at(i+1, "set", done), h.at(i+2, "version", done)
		if before == nil || stored == nil || read == nil {
			return nil
		}
		return h.with(change{i + 2, done, []int64{read.fields[0], before.fields[1]}})
	}},
	{"a value after its deadline", func(h *scene, i int) []*operation {
		stored := h.at(i, "set", done)
		if stored == nil || stored.argument(1) == 0 {
			return nil
		}
		for j := i + 1; j < len(h.history) && isRead[h.history[j].name]; j++ {
			read := h.at(j, "get", refused)
			if read != nil && read.callMs() > stored.returnMs()+stored.argument(1) {
				return h.with(change{j, done, stored.arguments[:1]})
			}
		}
		return nil
	}},
	{"a deadline that is later than was said", func(h *scene, i int) []*operation {
		told := h.at(i+1, "ttl", done)
		if h.at(i, "get", done) == nil || told == nil || told.fields[0] == 0 {
			return nil
		}
		return h.with(change{i + 1, done, []int64{told.fields[0] + 10_000}})
	}},
	{"a live value that is missed", func(h *scene, i int) []*operation {
		first, second := h.at(i, "get", done), h.at(i+1, "get", done)
		if first == nil || second == nil || h.everExpires(i) {
			return nil
		}
		return h.with(change{i + 1, refused, nil})
	}},
	{"a refusal as BUSY that changed something", func(h *scene, i int) []*operation {
		stored, read := h.at(i, "set", done), h.at(i+1, "get", done)
		if stored == nil || read == nil {
			return nil
		}
		return h.with(change{i, busy, nil})
	}},
	{"a killed set that is undone", func(h *scene, i int) []*operation {
		before, stored, read := h.at(i, "get", done), h.at(i+1, "set", done), h.at(i+2, "get", done)
		if before == nil || stored == nil || read == nil || h.at(i+3, "get", done) == nil {
			return nil
		}
		return h.with(change{i + 1, maybe, nil}, change{i + 3, done, before.fields})
	}},
}

var isRead = map[string]bool{"get": true, "has": true, "version": true, "ttl": true}

// at is operation i, if there is one that is alone, of that name and with that outcome; empty for any.
func (h *scene) at(i int, name string, result outcome) *operation {
	if i >= len(h.history) || !h.alone[i] {
		return nil
	}
	op := h.history[i]
	if name != "" && op.name != name || result != "" && op.outcome != result {
		return nil
	}
	return op
}

// everExpires: was a deadline given before operation i?
func (h *scene) everExpires(i int) bool {
	ttl := map[string]int{"set": 1, "add": 1, "replace": 1, "cas": 1, "increment": 2, "touch": 0}
	for _, op := range h.history[:i] {
		if at, stores := ttl[op.name]; stores && op.argument(at) != 0 {
			return true
		}
	}
	return false
}

type change struct {
	i       int
	outcome outcome
	fields  []int64
}

// with is the history with some outcomes changed.
func (h *scene) with(changes ...change) []*operation {
	changed := append([]*operation(nil), h.history...)
	for _, c := range changes {
		op := *changed[c.i]
		op.outcome, op.fields = c.outcome, c.fields
		changed[c.i] = &op
	}
	return changed
}

func sceneOf(history []*operation) *scene {
	h := &scene{history, make([]bool, len(history))}
	var returned int64
	for i, op := range history {
		h.alone[i] = op.call > returned && (i+1 == len(history) || op.ret < history[i+1].call)
		returned = max(returned, op.ret)
	}
	return h
}

// falsify tries each kind at places drawn at random; one that finds no place is a failure: it proves nothing.
func falsify(r *report, keys histories, random *rand.Rand) {
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	sort.Strings(names)
	random.Shuffle(len(names), func(a, b int) { names[a], names[b] = names[b], names[a] })
	for _, f := range falsehoods {
		tried, noticed := 0, 0
		for _, name := range names {
			changed := place(f, sceneOf(keys[name]), random)
			if changed == nil {
				continue
			}
			tried++
			if check(changed) == porcupine.Illegal {
				noticed++
			}
			if tried == placesTried {
				break
			}
		}
		r.line(tried > 0 && noticed == tried, "%s: noticed in %d of %d histories", f.name, noticed, tried)
	}
}

// place is the history, changed at the first place that fits from a random one on.
func place(f falsehood, h *scene, random *rand.Rand) []*operation {
	from := random.Intn(len(h.history))
	for i := range h.history {
		if changed := f.apply(h, (from+i)%len(h.history)); changed != nil {
			return changed
		}
	}
	return nil
}
