package main

import (
	"fmt"
	"math/rand/v2"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

const liveBytes = 16

// grown is a heap with so many live blocks. They are held by offset: the collector has nothing to scan.
type grown struct {
	heap    *allocator.Heap
	base    unsafe.Pointer // of the first block
	offsets []int64        // of the others, from there
	random  *rand.PCG
}

func (g *grown) block(i int) unsafe.Pointer { return unsafe.Add(g.base, g.offsets[i]) }

func (g *grown) put(i int) error {
	p, err := g.heap.Malloc(liveBytes)
	if err == nil {
		g.offsets[i] = int64(uintptr(p)) - int64(uintptr(g.base))
	}
	return err
}

// The ways to use it. Each takes n turns.
var liveWays = []struct {
	name string
	turn func(g *grown, n int) error
}{
	{"pair", func(g *grown, n int) error { // beside the live blocks
		for range n {
			p, err := g.heap.Malloc(liveBytes)
			if err != nil {
				return err
			}
			if err := g.heap.FreePointer(p); err != nil {
				return err
			}
		}
		return nil
	}},
	{"replace", func(g *grown, n int) error { // a random one of them
		for range n {
			i := g.pick()
			if err := g.heap.FreePointer(g.block(i)); err != nil {
				return err
			}
			if err := g.put(i); err != nil {
				return err
			}
		}
		return nil
	}},
	{"touch", func(g *grown, n int) error { // only look one up, and write to it: what memory itself takes
		for range n {
			*(*uint64)(g.block(g.pick()))++
		}
		return nil
	}},
}

// pick is the index of a random block.
func (g *grown) pick() int { return int(g.random.Uint64() % uint64(len(g.offsets))) }

// fill makes a heap with so many live blocks. end closes it.
func fill(n int) (g *grown, nanoseconds float64, end func(), err error) {
	h, end, err := open(0)
	if err != nil {
		return nil, 0, nil, err
	}
	base, err := h.Malloc(liveBytes)
	if err != nil {
		end()
		return nil, 0, nil, err
	}
	g = &grown{heap: h, base: base, offsets: make([]int64, n), random: rand.NewPCG(1, 2)}
	started := time.Now()
	for i := range g.offsets {
		if err := g.put(i); err != nil {
			end()
			return nil, 0, nil, fmt.Errorf("at %d live blocks: %w", i, err)
		}
	}
	return g, float64(time.Since(started).Nanoseconds()) / float64(n), end, nil
}

// byLive prints the time of a turn at each number of live blocks. Memory takes its part of it: where the blocks no longer fit into
// the caches, whoever goes to a random one waits. All heaps are there from the start, and each round measures every one: a slow
// spell of the machine meets them alike.
func byLive(most int, each time.Duration, rounds int) error {
	fmt.Printf("\nns for one turn, by live blocks of %d B\n\n  %12s %8s %8s %8s %8s %14s\n", liveBytes, "live", "fill", "pair", "replace", "touch", "replace-touch")
	var all []*grown
	var fills []float64
	for n := 1000; n <= most; n *= 10 {
		g, nanoseconds, end, err := fill(n)
		if err != nil {
			return err
		}
		defer end()
		all, fills = append(all, g), append(fills, nanoseconds)
	}
	found := make([]map[string][]float64, len(all))
	for range rounds {
		for i, g := range all {
			if found[i] == nil {
				found[i] = map[string][]float64{}
			}
			for _, way := range liveWays {
				t, err := perTurn(each, func(turns int) error { return way.turn(g, turns) })
				if err != nil {
					return err
				}
				found[i][way.name] = append(found[i][way.name], t)
			}
		}
	}
	worst := map[string]float64{}
	for i, g := range all {
		pair, replace, touch := median(found[i]["pair"]), median(found[i]["replace"]), median(found[i]["touch"])
		fmt.Printf("  %12d %8.1f %8.1f %8.1f %8.1f %14.1f\n", len(g.offsets), fills[i], pair, replace, touch, replace-touch)
		for name, value := range map[string]float64{"pair": pair, "replace": replace} {
			worst[name] = max(worst[name], value/median(found[0][name]))
		}
	}
	fmt.Printf("\n  the slowest as a part of that at 1000: pair %.2f, replace %.2f\n", worst["pair"], worst["replace"])
	return nil
}
