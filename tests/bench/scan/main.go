// Command scan measures how fast a heap is checked: against a plain sum of the same memory, in the same run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

func main() {
	bytes := flag.Int("bytes", 1<<30, "memory of the heap that is filled with live blocks")
	size := flag.Int("size", 64, "bytes asked for with each block")
	rounds := flag.Int("rounds", 5, "rounds; medians are printed")
	flag.Parse()
	if err := run(*bytes, *size, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "scan:", err)
		os.Exit(1)
	}
}

func run(bytes, size, rounds int) error {
	heap, err := allocator.New(allocator.Options{Name: "scan"})
	if err != nil {
		return err
	}
	defer heap.Close()
	// The last block's address and the first one's span the memory that both look at.
	low, high := ^uintptr(0), uintptr(0)
	base := unsafe.Pointer(nil)
	blocks := 0
	for heap.Stats().InUseBytes < uint64(bytes) {
		for range 10_000 {
			p, err := heap.Malloc(size)
			if err != nil {
				return err
			}
			if uintptr(p) < low {
				low, base = uintptr(p), p
			}
			high = max(high, uintptr(p))
			blocks++
		}
	}
	words := unsafe.Slice((*uint64)(base), (high-low)/8)
	self, err := target.Self(target.Options{Heap: "scan"})
	if err != nil {
		return err
	}
	defer self.Close()
	var sums, checks []time.Duration
	var report *inspect.CheckReport
	total := uint64(0)
	for range rounds {
		runtime.GC()
		started := time.Now()
		total += sum(words)
		sums = append(sums, time.Since(started))
		started = time.Now()
		if report, err = inspect.Check(context.Background(), self, inspect.CheckOptions{}); err != nil {
			return err
		}
		checks = append(checks, time.Since(started))
		if len(report.Findings) > 0 {
			return fmt.Errorf("%d findings in a healthy heap: %s", len(report.Findings), report.Findings[0].Summary)
		}
	}
	memory := float64(len(words)*8) / (1 << 30)
	s, c := median(sums), median(checks)
	fmt.Printf("%d live blocks of %d B, %.2f GiB, GOMAXPROCS %d, %s, medians of %d rounds\n", blocks, size, memory, runtime.GOMAXPROCS(0), runtime.Version(), rounds)
	fmt.Printf("plain sum, one goroutine   %8.1f ms   %5.1f GiB/s\n", ms(s), memory/s.Seconds())
	fmt.Printf("check, all of it           %8.1f ms   %5.1f GiB/s   %d seals, %d structs, %d MiB of metadata\n", ms(c), memory/c.Seconds(), report.Blocks, report.Structs, (report.Bytes>>20)-uint64(memory*1024))
	fmt.Printf("check / sum                %8.2f      of its speed (sum %x)\n", s.Seconds()/c.Seconds(), total&0xf)
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sum adds up memory in four lanes: as fast as plain Go reads it.
func sum(words []uint64) uint64 {
	var a, b, c, d uint64
	for ; len(words) >= 4; words = words[4:] {
		a += words[0]
		b += words[1]
		c += words[2]
		d += words[3]
	}
	return a + b + c + d
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
