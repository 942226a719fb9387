// Command scale measures what happens to the time of a pair when a heap grows: by live blocks, by processors, by address space.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/glassheap/glassheap/allocator"
)

func main() {
	live := flag.Int("live", 10_000_000, "most live blocks of 16 B, in steps of ten from 1000 on; 100 million take 4 GiB")
	procs := flag.Int("procs", 64, "most processors, in steps of two: GOMAXPROCS is set, whatever the machine has")
	each := flag.Duration("time", 200*time.Millisecond, "for each measurement")
	rounds := flag.Int("rounds", 5, "rounds, interleaved; medians are printed")
	flag.Parse()
	if err := run(*live, *procs, *each, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(live, procs int, each time.Duration, rounds int) error {
	if live < 1000 || procs < 1 || rounds < 1 || each <= 0 {
		return errors.New("-live must be at least 1000, -procs and -rounds 1, -time above 0")
	}
	fmt.Printf("sealed heaps, medians of %d rounds, %d processors, %s, %s\n", rounds, runtime.NumCPU(), runtime.Version(), time.Now().Format(time.DateOnly))
	for _, part := range []func() error{
		func() error { return byLive(live, each, rounds) },
		func() error { return byProcs(procs, each, rounds) },
		func() error { return byReserve(each, rounds) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// open makes a heap that reports nothing at its end: what is live then is meant to be.
func open(reserve int64) (h *allocator.Heap, end func(), err error) {
	h, err = allocator.New(allocator.Options{Name: "scale", ReserveBytes: reserve})
	if err != nil {
		return nil, nil, err
	}
	return h, func() { _ = h.Close() }, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// perTurn calls turns with growing counts until one call takes as long as wanted, and returns the ns for one turn of that call.
func perTurn(each time.Duration, turns func(n int) error) (float64, error) {
	for n := 1000; ; n *= 2 {
		started := time.Now()
		if err := turns(n); err != nil {
			return 0, err
		}
		if took := time.Since(started); took >= each/2 {
			return float64(took.Nanoseconds()) / float64(n), nil
		}
	}
}
