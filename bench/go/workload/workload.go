// Package workload measures Go libraries on the workload of bench/core/upstream.c, each through its own public API: 2^20
// random keys of 16 bytes, 1,024 values of random size from 0 to 1,023 bytes, a limit of 1 GiB; Set, Get, and SetAndGet
// with one set in eight. It owns the workload, the clock and the output; the programs beside it own the libraries.
//
// Prints one JSON object per line, as upstream.c does, best of the rounds. `ns` is per operation of all goroutines
// together; there are as many processors (GOMAXPROCS) as goroutines. `hits` is the share of gets, in percent, that
// found a value of the right length: some of these libraries drop entries.
//
// With --quick, one goroutine, short rounds, and only the libraries that copy values, as a cache in shared memory must.
package workload

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"runtime"
	"sync"
	"time"
)

// What a store has to hold, and how it should be set up where it has such options.
const (
	KeyCount   = 1 << 20
	LimitBytes = 1 << 30
	Shards     = 128
)

const (
	keyLength  = 16
	valueCount = 1 << 10
	stretch    = 1 << 12 // operations between two looks at the clock
)

type row struct {
	Name    string   `json:"name"`
	Keys    string   `json:"keys"`
	NS      float64  `json:"ns"`
	Library string   `json:"library"`
	Threads int      `json:"threads"`
	Hits    *float64 `json:"hits,omitempty"`
}

// Store is an open cache. Set panics on an error; Get returns the length of the value, or -1; Wait returns when all
// sets have taken effect.
type Store struct {
	Library string
	Set     func(key string, value []byte)
	Get     func(key string) int
	Wait    func()
	Close   func()
}

// Library opens a store.
type Library struct {
	Open   func() (Store, error)
	Copies bool // values are copied in and out, not kept as pointers to the caller's memory
}

// A workload sets where the number of the operation, modulo eight, is less than sets, and gets elsewhere.
type workload struct {
	name string
	sets int
}

var workloads = []workload{{"Set", 8}, {"Get", 0}, {"SetAndGet", 1}}

type plan struct {
	threads     []int
	rounds      int
	roundLength time.Duration
}

// tally counts what one goroutine did.
type tally struct{ operations, gets, hits int }

var (
	keys   = make([]string, KeyCount)
	values = make([][]byte, valueCount)
)

func prepare() {
	random := rand.New(rand.NewSource(1))
	key := make([]byte, keyLength)
	for i := range keys {
		random.Read(key)
		keys[i] = string(key)
	}
	for i := range values {
		values[i] = make([]byte, random.Intn(1024))
		random.Read(values[i])
	}
}

// run does `count` operations from number `from` on; the value of a key is always the same.
func (w workload) run(s Store, from, count int, t *tally) {
	for i := from; i < from+count; i++ {
		key, value := keys[i&(KeyCount-1)], values[i&(valueCount-1)]
		if i&7 < w.sets {
			s.Set(key, value)
			continue
		}
		t.gets++
		if s.Get(key) == len(value) {
			t.hits++
		}
	}
	t.operations += count
}

// runRound lets the goroutines start at keys far apart, as upstream.c does.
func (w workload) runRound(s Store, threads int, length time.Duration) (sum tally, elapsed time.Duration) {
	tallies := make([]tally, threads)
	var all sync.WaitGroup
	begin := time.Now()
	for number := range tallies {
		all.Go(func() {
			var t tally
			for i := number * (KeyCount / threads); time.Since(begin) < length; i += stretch {
				w.run(s, i, stretch, &t)
			}
			tallies[number] = t
		})
	}
	all.Wait()
	elapsed = time.Since(begin)
	for _, t := range tallies {
		sum.operations += t.operations
		sum.gets += t.gets
		sum.hits += t.hits
	}
	return sum, elapsed
}

func (w workload) measure(s Store, threads int, p plan) row {
	name := w.name
	if threads > 1 {
		name = fmt.Sprintf("%s, %d threads", w.name, threads)
	}
	best := row{Name: name, Keys: "insertion order", NS: math.Inf(1), Library: s.Library, Threads: threads}
	var sum tally
	for range p.rounds {
		t, elapsed := w.runRound(s, threads, p.roundLength)
		best.NS = min(best.NS, float64(elapsed.Nanoseconds())/float64(t.operations))
		sum.gets += t.gets
		sum.hits += t.hits
	}
	best.NS = rounded(best.NS)
	if sum.gets > 0 {
		hits := rounded(100 * float64(sum.hits) / float64(sum.gets))
		best.Hits = &hits
	}
	return best
}

func rounded(number float64) float64 {
	return math.Round(number*10) / 10
}

func measureStore(open func() (Store, error), p plan, output *json.Encoder) error {
	runtime.GOMAXPROCS(1)
	s, err := open()
	if err != nil {
		return err
	}
	defer s.Close()
	for i, key := range keys {
		s.Set(key, values[i&(valueCount-1)])
	}
	s.Wait()
	workload{"Get", 0}.run(s, 0, KeyCount, &tally{}) // touches everything
	for _, threads := range p.threads {
		runtime.GOMAXPROCS(threads)
		for _, w := range workloads {
			if err := output.Encode(w.measure(s, threads, p)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Main measures one library after the other, as the flags say, and ends the program on an error.
func Main(libraries []Library) {
	quick := flag.Bool("quick", false, "one goroutine, short rounds, only libraries that copy values")
	length := flag.Duration("round", 2*time.Second, "length of a round")
	flag.Parse()
	p := plan{threads: []int{1, 2}, rounds: 3, roundLength: *length}
	if *quick {
		p = plan{threads: []int{1}, rounds: 1, roundLength: 500 * time.Millisecond}
	}
	prepare()
	output := json.NewEncoder(os.Stdout)
	for _, l := range libraries {
		if *quick && !l.Copies {
			continue
		}
		if err := measureStore(l.Open, p, output); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		runtime.GC() // the next library begins without this one's garbage
	}
}
