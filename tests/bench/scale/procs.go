package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/glassheap/glassheap/allocator"
)

const (
	procsBytes = 64
	burst      = 32 // blocks of a burst: in half of them a magazine is emptied or filled
)

// crowd is goroutines that allocate bursts and free them, until they are told to stop.
type crowd struct {
	stop  atomic.Bool
	pairs atomic.Int64
	group sync.WaitGroup
	wrong atomic.Pointer[error]
}

func gather(h *allocator.Heap, goroutines int) *crowd {
	c := new(crowd)
	for range goroutines {
		c.group.Go(func() {
			for !c.stop.Load() {
				if err := bursts(h); err != nil {
					c.wrong.Store(&err)
					return
				}
				c.pairs.Add(16 * burst)
			}
		})
	}
	return c
}

func bursts(h *allocator.Heap) error {
	var blocks [burst][]byte
	for range 16 {
		for i := range blocks {
			var err error
			if blocks[i], err = h.Alloc(procsBytes); err != nil {
				return err
			}
		}
		for _, b := range blocks {
			if err := h.Free(b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *crowd) end() error {
	c.stop.Store(true)
	c.group.Wait()
	if err := c.wrong.Load(); err != nil {
		return *err
	}
	return nil
}

// mutexWait is how long goroutines have waited for a sync.Mutex so far, in seconds: the heap's pages are behind one.
func mutexWait() float64 {
	sample := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64()
}

// byProcs prints the time of a pair by GOMAXPROCS, with as many goroutines in one heap. Where the machine has fewer processors, the
// system takes them away from threads in the middle of an operation, and others find what those have locked.
func byProcs(most int, each time.Duration, rounds int) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	fmt.Printf("\nns of one processor for one pair of %d B in bursts of %d, by GOMAXPROCS, with as many goroutines in one heap\n\n  %12s %8s %22s\n",
		procsBytes, burst, "GOMAXPROCS", "pair", "mutex wait, us/s")
	first, worst := 0.0, 0.0
	for procs := 1; procs <= most; procs *= 2 {
		runtime.GOMAXPROCS(procs)
		var times, waits []float64
		for range rounds {
			t, wait, err := crowded(procs, each, nil)
			if err != nil {
				return err
			}
			times, waits = append(times, t*float64(min(procs, runtime.NumCPU()))), append(waits, wait)
		}
		t := median(times)
		fmt.Printf("  %12d %8.1f %22.0f\n", procs, t, median(waits))
		if procs == 1 {
			first = t
		}
		worst = max(worst, t/first)
	}
	runtime.GOMAXPROCS(most)
	var times []float64
	changes := 0
	for range rounds {
		t, _, err := crowded(most, each, func() {
			changes++
			runtime.GOMAXPROCS(1 + changes*7%most)
			time.Sleep(time.Millisecond)
		})
		if err != nil {
			return err
		}
		times = append(times, t*float64(min(most, runtime.NumCPU())))
	}
	fmt.Printf("  %12s %8.1f   GOMAXPROCS set to another value from 1 to %d each millisecond, %d times\n", "changing", median(times), most, changes)
	fmt.Printf("\n  the slowest as a part of that at 1: %.2f\n", worst)
	return nil
}

// crowded measures the ns of wall time for one pair of so many goroutines together. meanwhile is called again and again; nil: wait.
func crowded(goroutines int, each time.Duration, meanwhile func()) (pair, wait float64, err error) {
	h, end, err := open(0)
	if err != nil {
		return 0, 0, err
	}
	defer end()
	c := gather(h, goroutines)
	time.Sleep(each / 10) // warm
	waited, pairs, started := mutexWait(), c.pairs.Load(), time.Now()
	for time.Since(started) < each {
		if meanwhile != nil {
			meanwhile()
		} else {
			time.Sleep(each)
		}
	}
	took, done := time.Since(started), c.pairs.Load()-pairs
	wait = (mutexWait() - waited) / took.Seconds() * 1e6
	if err := c.end(); err != nil {
		return 0, 0, err
	}
	if done == 0 {
		return 0, 0, errors.New("no pair was done in the time: take a longer one")
	}
	return float64(took.Nanoseconds()) / float64(done), wait, nil
}
