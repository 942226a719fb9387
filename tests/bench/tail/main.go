// Command tail measures how long single operations take, each timed by itself: what the slowest ones cost that a mean hides.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"time"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

func main() {
	pairs := flag.Int("pairs", 200_000, "pairs of an allocation and a free in a round, each timed")
	rounds := flag.Int("rounds", 5, "rounds; medians are printed, of the maxima too")
	only := flag.String("run", "^(pair/64|mix/)", "what is measured: a `regexp` for workload/size/peer")
	flag.Parse()
	if err := run(*pairs, *rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, "tail:", err)
		os.Exit(1)
	}
}

// tail is one subject's: the percentiles of each round.
type tail struct {
	workload peers.Workload
	peer     peers.Peer
	rounds   [len(percentiles)][]time.Duration
}

// The percentiles, in parts of all; the last one is the maximum.
var percentiles = [...]float64{0.5, 0.99, 0.999, 1}

func run(pairs, rounds int, only string) error {
	if pairs < 1 || rounds < 1 {
		return errors.New("-pairs and -rounds must be at least 1")
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	var tails []*tail
	for _, w := range peers.Workloads() {
		for _, p := range peers.All() {
			if p.Can(w) && !w.Concurrent && wanted.MatchString(w.String()+"/"+p.Name) {
				tails = append(tails, &tail{workload: w, peer: p})
			}
		}
	}
	if len(tails) == 0 {
		return fmt.Errorf("-run '%s' matches nothing: names are workload/size/peer", only)
	}
	times := make([]time.Duration, pairs)
	clock := &tail{}
	for range rounds {
		clock.measure(func() {}, times)
		for _, t := range tails {
			trial, err := t.peer.Prepare(t.workload)
			if err != nil {
				return err
			}
			t.measure(func() { trial.Run(1) }, times)
			if err := trial.Close(); err != nil {
				return err
			}
		}
	}
	fmt.Printf("ns for one allocation and one free, each timed by itself, %d in a round, medians of %d rounds, GOMAXPROCS %d, %s, %s\n\n",
		pairs, rounds, runtime.GOMAXPROCS(0), runtime.Version(), time.Now().Format(time.DateOnly))
	fmt.Printf("  %-32s %8s %8s %8s %10s\n", "", "p50", "p99", "p99.9", "max")
	clock.print("the clock alone")
	for _, t := range tails {
		t.print(t.workload.String() + "/" + t.peer.Name)
	}
	return nil
}

// measure does an operation as often as there is room for times. It warms up first, so that the first touch of memory is not
// what is found.
func (t *tail) measure(operation func(), times []time.Duration) {
	for range len(times) / 10 {
		operation()
	}
	runtime.GC()
	for i := range times {
		started := time.Now()
		operation()
		times[i] = time.Since(started)
	}
	slices.Sort(times)
	for i, part := range percentiles {
		t.rounds[i] = append(t.rounds[i], times[int(part*float64(len(times)-1))])
	}
}

func (t *tail) print(name string) {
	var medians [len(percentiles)]time.Duration
	for i, values := range t.rounds {
		slices.Sort(values)
		medians[i] = values[len(values)/2]
	}
	fmt.Printf("  %-32s %8d %8d %8d %10d\n", name, medians[0], medians[1], medians[2], medians[3])
}
