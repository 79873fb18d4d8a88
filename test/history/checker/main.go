// Checks recorded histories of a cache for linearisability, and that the check would notice if they were not.
//
//   checker MANIFEST SEED     (a JSON list of phases, see `phase`)
//
// Prints a line for each check, in the Test Anything Protocol, and, where a history is wrong, the part of it that shows it.
// Exit code 1 if a check failed.

package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/anishathalye/porcupine"
)

// Wrong keys that are printed; one defect tends to show on many.
const explainedMax = 2

type report struct{ checks, failures int }

func (r *report) line(ok bool, format string, values ...interface{}) {
	r.checks++
	word := "ok"
	if !ok {
		word = "not ok"
		r.failures++
	}
	fmt.Printf("%s %d - %s\n", word, r.checks, fmt.Sprintf(format, values...))
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: checker MANIFEST SEED")
		os.Exit(2)
	}
	seed, err := strconv.ParseInt(os.Args[2], 10, 64)
	must(err)
	text, err := os.ReadFile(os.Args[1])
	must(err)
	var phases []phase
	must(json.Unmarshal(text, &phases))
	r := &report{}
	for i := range phases {
		keys, err := readPhase(&phases[i])
		must(err)
		if checkPhase(r, &phases[i], keys) && !phases[i].Evicts {
			falsify(r, keys, rand.New(rand.NewSource(seed)))
		}
	}
	if r.failures > 0 {
		os.Exit(1)
	}
}

func checkPhase(r *report, p *phase, keys histories) bool {
	begun := time.Now()
	verdicts := checkAll(keys, runtime.GOMAXPROCS(0))
	var longest time.Duration
	wrong, undecided := 0, 0
	for _, v := range verdicts {
		longest = max(longest, v.took)
		switch v.result {
		case porcupine.Unknown:
			undecided++
			fmt.Printf("# %s, key %s: undecided after %s\n", p.Name, v.key, keyTimeMax)
		case porcupine.Illegal:
			if wrong++; wrong <= explainedMax {
				fmt.Printf("# %s, key %s:\n", p.Name, v.key)
				explain(os.Stdout, keys[v.key])
			}
		}
	}
	fmt.Printf("# %s: checked in %.1f s, the longest of %d keys in %.2f s\n", p.Name, time.Since(begun).Seconds(),
		len(keys), longest.Seconds())
	r.line(wrong == 0 && undecided == 0,
		"%s: %d operations on %d keys (%d cut off, %d refused as BUSY), %d kills, %d take-overs, %d stops, %d evictions: "+
			"%d keys not linearisable, %d undecided",
		p.Name, p.steps, len(keys), p.cutOff, p.busy, p.Kills, p.Takeovers, p.Stops, p.Evictions, wrong, undecided)
	return wrong == 0 && undecided == 0
}

func must(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
