package main

import (
	"fmt"
	"time"

	"github.com/glassheap/glassheap/allocator"
)

// byReserve prints what address space costs that is not used.
func byReserve(each time.Duration, rounds int) error {
	fmt.Printf("\nby address space in reserve\n\n  %12s %16s %8s %16s\n", "GiB", "New + Close, us", "pair, ns", "metadata, KiB")
	for _, gib := range []int64{1, 64, 1 << 10, 8 << 10} {
		var starts, pairs []float64
		var stats allocator.Stats
		for range rounds {
			started := time.Now()
			_, end, err := open(gib << 30)
			if err != nil {
				return err
			}
			end()
			starts = append(starts, float64(time.Since(started).Microseconds()))
			h, end, err := open(gib << 30)
			if err != nil {
				return err
			}
			t, err := perTurn(each, func(n int) error {
				for range n {
					p, err := h.Malloc(procsBytes)
					if err != nil {
						return err
					}
					if err := h.FreePointer(p); err != nil {
						return err
					}
				}
				return nil
			})
			stats = h.Stats()
			end()
			if err != nil {
				return err
			}
			pairs = append(pairs, t)
		}
		if stats.ReserveShortage != 0 {
			fmt.Printf("  %12d   the system refuses %d GiB of it\n", gib, stats.ReserveShortage>>30)
			continue
		}
		fmt.Printf("  %12d %16.0f %8.1f %16d\n", gib, median(starts), median(pairs), stats.MetadataBytes>>10)
	}
	return nil
}
