// Command disturb measures what it costs a busy program to be checked: a second process keeps a heap full of live blocks in
// use, and is checked again and again. It prints how long a check takes, how long the process stands still, and how much of
// its throughput is left.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// options are those of the command line.
type options struct {
	bytes, size, goroutines, rounds int
	window                          time.Duration
	nice                            int
}

func main() {
	var o options
	flag.IntVar(&o.bytes, "bytes", 1<<30, "memory of the heap that is filled with live blocks")
	flag.IntVar(&o.size, "size", 64, "bytes asked for with each block")
	flag.IntVar(&o.goroutines, "goroutines", 2, "goroutines of the program that is checked")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; in each it runs alone, then while it is checked")
	flag.DurationVar(&o.window, "window", 3*time.Second, "how long each half of a round lasts")
	flag.IntVar(&o.nice, "nice", 0, "lower this process's priority by so much (0 to 19)")
	flag.Parse()
	run := o.measure
	if os.Getenv(busyVariable) != "" {
		run = o.keepBusy
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "disturb:", err)
		os.Exit(1)
	}
}

// paces are how often the program is checked.
var paces = []struct {
	name  string
	every time.Duration // 0: one check after the other
}{{"one check after the other", 0}, {"one check a second", time.Second}}

func (o *options) measure() error {
	program, err := o.start()
	if err != nil {
		return err
	}
	defer program.end()
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, o.nice); err != nil {
		return err
	}
	heap, err := target.OpenProcess(program.pid(), target.Options{})
	if err != nil {
		return err
	}
	defer heap.Close()
	fmt.Printf("a heap of %.2f GiB, %d B blocks, %d goroutines that allocate and free at random; GOMAXPROCS %d, %s, nice %d\n",
		float64(o.bytes)/(1<<30), o.size, o.goroutines, runtime.GOMAXPROCS(0), runtime.Version(), o.nice)
	for _, pace := range paces {
		var kept []float64
		var seen checks
		for range o.rounds {
			alone, err := program.throughput(func() error { time.Sleep(o.window); return nil })
			if err != nil {
				return err
			}
			checked, err := program.throughput(func() error { return seen.during(heap, o.window, pace.every) })
			if err != nil {
				return err
			}
			kept = append(kept, checked/alone)
		}
		slices.Sort(kept)
		fmt.Printf("\n%s: %d checks in %d rounds, %d seals each\n", pace.name, len(seen.took), o.rounds, seen.blocks/uint64(len(seen.took)))
		fmt.Printf("  a check takes       %s\n", distribution(seen.took))
		fmt.Printf("  it stands still     %s\n", distribution(seen.stopped))
		fmt.Printf("  throughput that is left: median %.1f %%, least %.1f %%\n", 100*kept[len(kept)/2], 100*kept[0])
	}
	return nil
}

// checks are what was measured.
type checks struct {
	took, stopped []time.Duration
	blocks        uint64
}

// during checks the heap for so long.
func (c *checks) during(heap target.Target, window, every time.Duration) error {
	for end := time.Now().Add(window); time.Now().Before(end); {
		began := time.Now()
		r, err := inspect.Check(context.Background(), heap, inspect.CheckOptions{})
		if err != nil {
			return err
		}
		if len(r.Findings) > 0 {
			return errors.New("a finding in a healthy heap: " + r.Findings[0].Summary)
		}
		c.took, c.stopped, c.blocks = append(c.took, time.Since(began)), append(c.stopped, r.Stopped), c.blocks+r.Blocks
		time.Sleep(min(every-time.Since(began), time.Until(end)))
	}
	return nil
}

// distribution is the median, the 99th percentile and the most.
func distribution(d []time.Duration) string {
	slices.Sort(d)
	at := func(percent int) float64 {
		return float64(d[min(len(d)-1, len(d)*percent/100)]) / float64(time.Millisecond)
	}
	return fmt.Sprintf("median %7.2f ms   99 %% %7.2f ms   most %7.2f ms", at(50), at(99), at(100))
}
