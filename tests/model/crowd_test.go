package model

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
)

const crowdSize = 4

// TestFourGoroutines lets four goroutines use a heap at the same time, each with its own choices. They hand blocks over to
// each other, so that frees happen elsewhere than allocations. The heap is checked whenever all of them rest, and between two
// rounds the number of Ps may change.
func TestFourGoroutines(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	each(t, func(t *testing.T, g allocator.Geometry, m allocator.Mode) {
		directory := t.TempDir()
		rapid.Check(t, func(t *rapid.T) {
			c := drawn{t}
			seed := rapid.Uint64().Draw(t, "seed")
			runtime.GOMAXPROCS(2)
			w := newWorld(t, drawOptions(c, g, m), directory)
			defer w.heap.Close()
			defer w.other.Close()
			crowd := newCrowd(w, seed)
			for range 1 + c.below(3, "rounds") {
				if err := crowd.round(50 + c.below(250, "steps")); err != nil {
					t.Fatalf("%v", err)
				}
				runtime.GOMAXPROCS(oneOf(c, "Ps", 4, 2, 7, 1))
			}
			if err := w.finish(0, crowd...); err != nil {
				t.Fatalf("%v", err)
			}
		})
	})
}

// crowd is players who use one heap.
type crowd []*player

func newCrowd(w *world, seed uint64) crowd {
	players := make(crowd, crowdSize)
	for i := range players {
		players[i] = &player{world: w, choices: newSeeded(seed, uint64(i)), mailbox: make(chan *block, 64), stamps: uint64(i) << 28}
	}
	for i, p := range players {
		p.others = append(append(p.others, players[:i]...), players[i+1:]...)
	}
	return players
}

// round lets each player take this many steps, and then judges.
func (players crowd) round(steps int) error {
	failures := make([]error, len(players))
	var wg sync.WaitGroup
	for i, p := range players {
		wg.Go(func() {
			for range steps {
				if failures[i] = p.step(); failures[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	for _, p := range players {
		if err := errors.Join(p.receive(), p.glance()); err != nil {
			return err
		}
	}
	return players[0].world.verdict(players...)
}
