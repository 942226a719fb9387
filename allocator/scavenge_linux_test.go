package allocator

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// patient makes a heap whose scavenger takes its steps when the test says so.
func patient(t *testing.T, o Options) (*Heap, *scavenger) {
	t.Helper()
	o.ScavengeAfter = time.Hour
	h := newHeap(t, o)
	return h, h.scavenger
}

// TestIdleMemoryIsGivenBack, what lies in the magazine and in the depots too, after a step in which nobody used it.
func TestIdleMemoryIsGivenBack(t *testing.T) {
	oneCache(t)
	for _, mode := range []Mode{ModePlain, ModeSealed} {
		h, s := patient(t, Options{Mode: mode})
		require.False(t, s.waiting.Load(), "a new heap has nothing to give back")
		for _, n := range []int{24, 56, 1000, 20 << 10, 200 << 10, 2 << 20} {
			fillAndFree(t, h, n, 4<<20/n)
		}
		require.True(t, s.waiting.Load(), "what was freed has woken it")
		require.Equal(t, time.Hour, s.giveBack(h))
		require.NotZero(t, held(t, h), "what was used a moment ago is kept")
		require.NotZero(t, h.Stats().CachedBlocks)
		s.giveBack(h)
		require.Zero(t, h.Stats().CachedBlocks)
		require.Zero(t, h.Stats().Slabs)
		s.giveBack(h) // the pages of these slabs
		require.Zero(t, s.giveBack(h), "nothing is left to do")
		require.Zero(t, held(t, h))
		require.Zero(t, h.Stats().RetainedBytes)
		sound(t, h)
	}
}

// TestWhatIsUsedIsNotIdle: a bin through which a single block went keeps its blocks.
func TestWhatIsUsedIsNotIdle(t *testing.T) {
	oneCache(t)
	h, s := patient(t, Options{})
	fillAndFree(t, h, 56, 5000)
	fillAndFree(t, h, 1000, 400)
	s.giveBack(h)
	require.NoError(t, h.Free(alloc(t, h, 56)))
	require.Equal(t, time.Hour, s.giveBack(h), "there is more to do")
	require.NotZero(t, h.bin(int(h.classOf[56/layout.ClassGrain])).DepotBlocks)
	idle := h.bin(int(h.classOf[1000/layout.ClassGrain]))
	require.Zero(t, idle.DepotBlocks+uint64(idle.SlabCount))
	sound(t, h)
}

// TestPagesThatWereTakenMeanwhileAreKept: as many as there were free at the least.
func TestPagesThatWereTakenMeanwhileAreKept(t *testing.T) {
	h, s := patient(t, Options{})
	keep := alloc(t, h, 40<<10) // so that the arena stays
	b := alloc(t, h, 399<<10)   // 100 pages and its guard page
	require.NoError(t, h.Free(b))
	require.Equal(t, 101, h.dirtyPages)
	s.giveBack(h)
	b = alloc(t, h, 239<<10) // 60 of them, and a guard page
	require.NoError(t, h.Free(b))
	require.Equal(t, 101, h.dirtyPages)
	more, dirty := h.cleanIdlePages(arenasAtOnce)
	require.False(t, more)
	require.False(t, dirty, "an arena is cleaned as a whole")

	require.NoError(t, h.Free(alloc(t, h, 399<<10)))
	s.giveBack(h)
	require.NoError(t, h.Free(alloc(t, h, 399<<10)))
	require.Equal(t, time.Hour, s.giveBack(h))
	require.Equal(t, 101, h.dirtyPages, "all were taken")
	require.Zero(t, s.giveBack(h))
	require.Zero(t, h.dirtyPages)
	require.NoError(t, h.Free(keep))
	sound(t, h)
}

// TestStepsArePaced: much that is idle is given back in several steps.
func TestStepsArePaced(t *testing.T) {
	h, s := patient(t, Options{ReserveBytes: 64 << 20, RetainBytes: 64 << 20})
	var spans, keep [][]byte
	for range 40 {
		spans = append(spans, alloc(t, h, 900<<10))
		keep = append(keep, alloc(t, h, 100<<10)) // no arena becomes free
	}
	for _, b := range spans {
		require.NoError(t, h.Free(b))
	}
	s.giveBack(h)
	require.Equal(t, time.Hour/paced, s.giveBack(h))
	require.EqualValues(t, 8*227, h.dirtyPages, "32 arenas of 40 are clean")
	require.Zero(t, s.giveBack(h))
	require.Zero(t, h.dirtyPages)
	require.NotEmpty(t, keep)
	sound(t, h)
}

// TestScavengingInTheBackground while the heap is used and checked, until it is at rest.
func TestScavengingInTheBackground(t *testing.T) {
	for _, mode := range layout.Modes {
		h := newHeap(t, Options{Mode: mode, ScavengeAfter: 20 * time.Microsecond})
		var users sync.WaitGroup
		for g := range 3 {
			users.Go(func() {
				for round := range 20 {
					var live [][]byte
					for i := range 400 {
						n := 1 + (i*131+g*17)%3000
						if i%50 == 0 {
							n *= 60
						}
						b, err := h.Alloc(n)
						if err != nil {
							t.Error(err)
							return
						}
						b[0], b[n-1] = 1, 1
						live = append(live, b)
					}
					for i := range live {
						if err := h.Free(live[(i*7+round)%len(live)]); err != nil {
							t.Error(err)
						}
					}
					runtime.Gosched()
				}
			})
		}
		users.Wait()
		require.Zero(t, h.Stats().LiveBlocks)
		h.stopScavenger() // in the middle of a step, or between two
		sound(t, h)
	}
}

// TestTheScavengerRests when everything was given back: there is no timer then.
func TestTheScavengerRests(t *testing.T) {
	h := newHeap(t, Options{ScavengeAfter: time.Microsecond})
	fillAndFree(t, h, 56, 5000)
	for h.Stats().RetainedBytes > 0 || h.scavenger.waiting.Load() { // between two steps it doesn't wait either
		runtime.Gosched()
	}
	require.NoError(t, h.Close())
	require.False(t, h.scavenger.timer.Stop())
}

// TestNoScavenger where none is wanted.
func TestNoScavenger(t *testing.T) {
	h := newHeap(t, Options{ScavengeAfter: -1})
	fillAndFree(t, h, 56, 5000)
	require.Nil(t, h.scavenger)
}
