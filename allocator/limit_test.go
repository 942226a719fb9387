package allocator

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// fill allocates blocks of n bytes until the heap is at its limit.
func fill(t *testing.T, h *Heap, n int) (blocks []unsafe.Pointer) {
	t.Helper()
	for {
		p, err := h.Malloc(n)
		if err != nil {
			limited := (*LimitError)(nil)
			require.ErrorAs(t, err, &limited, "%d bytes", n)
			return blocks
		}
		blocks = append(blocks, p)
	}
}

// counted is what the limit is about.
func counted(h *Heap) uint64 {
	s := h.Stats()
	return s.InUseBytes + s.RetainedBytes
}

// TestTheLimitIsReachedAndNotPassed, in blocks of every kind.
func TestTheLimitIsReachedAndNotPassed(t *testing.T) {
	oneCache(t)
	const limit = 3<<20 + 100<<10
	for _, mode := range layout.Modes {
		for _, n := range []int{8, 1024, 32 << 10, 100 << 10, 1 << 20} {
			h := newHeap(t, Options{Mode: mode, LimitBytes: limit + 5})
			require.EqualValues(t, limit, h.Stats().LimitBytes, "in whole pages")
			blocks := fill(t, h, n)
			require.LessOrEqual(t, counted(h), uint64(limit), "%s, %d bytes", mode, n)
			least := limit - 64<<10 // less than a slab
			switch n {
			case 100 << 10:
				least = limit - 108<<10
			case 1 << 20: // its guard page makes it two arenas
				least = 2 << 20
			}
			require.GreaterOrEqual(t, counted(h), uint64(least), "%s, %d bytes", mode, n)
			sound(t, h)
			for _, p := range blocks {
				require.NoError(t, h.FreePointer(p))
			}
			require.Len(t, fill(t, h, n), len(blocks), "%s, %d bytes: what was freed can be had again, what is held back too", mode, n)
			require.LessOrEqual(t, counted(h), uint64(limit))
			sound(t, h)
		}
	}
}

// TestAtTheLimitWhatIsIdleIsGivenBack: slabs, the depots' and the magazines' blocks, dirty pages, the quarantine.
func TestAtTheLimitWhatIsIdleIsGivenBack(t *testing.T) {
	oneCache(t)
	for _, mode := range layout.Modes {
		h := newHeap(t, Options{Mode: mode, LimitBytes: 4 << 20})
		most := 0
		for _, n := range []int{56, 1000, 5000, 20 << 10, 200 << 10, 1500 << 10, 24} {
			blocks := fill(t, h, n)
			most = len(blocks) * n
			require.Greater(t, most, 2<<20, "%s, %d bytes: all that the size before had is to be had", mode, n)
			require.LessOrEqual(t, counted(h), uint64(4<<20))
			for _, p := range blocks {
				require.NoError(t, h.FreePointer(p))
			}
			sound(t, h)
		}
	}
}

// TestALimitBelowWhatIsInUse breaks nothing, and refuses what needs a page.
func TestALimitBelowWhatIsInUse(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{})
	blocks := make([]unsafe.Pointer, 50_000)
	for i := range blocks {
		blocks[i] = malloc(t, h, 56)
		*(*int)(blocks[i]) = i
	}
	idle := alloc(t, h, 700<<10)
	clear(idle)
	require.NoError(t, h.Free(idle))
	require.NotZero(t, h.Stats().RetainedBytes)
	for range 2000 { // these slabs' blocks are in the magazine and in the depot
		require.NoError(t, h.FreePointer(blocks[len(blocks)-1]))
		blocks = blocks[:len(blocks)-1]
	}
	inUse := h.Stats().InUseBytes
	require.NoError(t, h.SetLimit(1<<20))
	require.Less(t, h.Stats().InUseBytes, inUse-100<<10)
	require.Zero(t, h.Stats().RetainedBytes, "what is idle is given back at once")
	_, err := h.Malloc(100 << 10) // and its seal, and its guard page
	limited := (*LimitError)(nil)
	require.ErrorAs(t, err, &limited)
	require.Equal(t, LimitError{LimitBytes: 1 << 20, InUseBytes: int64(h.Stats().InUseBytes), WantedBytes: 27 * 4096}, *limited)
	require.ErrorContains(t, err, "no span for 102400 bytes in heap \""+h.Name()+"\": the heap is at its limit of 1024 KiB: ")
	require.ErrorContains(t, err, " KiB are in use, and 108 KiB more are wanted; free blocks, or raise the limit (SetLimit, Options.LimitBytes)")
	for i, p := range blocks {
		require.Equal(t, i, *(*int)(p))
	}
	require.NoError(t, h.FreePointer(blocks[0]))
	blocks[0] = malloc(t, h, 50) // its slab has room
	sound(t, h)
	for _, p := range blocks[1:] {
		require.NoError(t, h.FreePointer(p))
	}
	malloc(t, h, 100<<10)
	require.LessOrEqual(t, counted(h), uint64(1<<20))

	require.NoError(t, h.SetLimit(0))
	require.Zero(t, h.Stats().LimitBytes)
	for range 4 {
		malloc(t, h, 900<<10)
	}
	sound(t, h)
}

// TestTheLimitChangesWhileTheHeapIsUsed by others.
func TestTheLimitChangesWhileTheHeapIsUsed(t *testing.T) {
	for _, mode := range []Mode{ModeSealed, ModeAudit} {
		h := newHeap(t, Options{Mode: mode})
		const highest = 8 << 20
		require.NoError(t, h.SetLimit(highest))
		var users, limiter sync.WaitGroup
		var done atomic.Bool
		var refused atomic.Int64
		for g := range 3 {
			users.Go(func() {
				var live [][]byte
				for i := range 6000 {
					n := 1 + (i*131+g*17)%3000
					if i%50 == 0 {
						n *= 60
					}
					b, err := h.Alloc(n)
					if limited := (*LimitError)(nil); errors.As(err, &limited) {
						refused.Add(1)
						for _, b := range live {
							if err := h.Free(b); err != nil {
								t.Error(err)
							}
						}
						live = live[:0]
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					b[0], b[n-1] = 1, 1
					live = append(live, b)
				}
				for _, b := range live {
					if err := h.Free(b); err != nil {
						t.Error(err)
					}
				}
			})
		}
		limiter.Go(func() {
			for i := 0; !done.Load(); i++ {
				if err := h.SetLimit(1<<20 + int64(i%8)<<20); err != nil {
					t.Error(err)
				}
				if most := counted(h); most > highest {
					t.Errorf("%d bytes are held", most)
				}
				h.Scavenge()
			}
		})
		users.Wait()
		done.Store(true)
		limiter.Wait()
		require.NotZero(t, refused.Load())
		require.Zero(t, h.Stats().LiveBlocks)
		sound(t, h)
	}
}

// TestLimitsThatCannotBe are refused, and change nothing.
func TestLimitsThatCannotBe(t *testing.T) {
	h := newHeap(t, Options{LimitBytes: 1 << 20})
	for _, bytes := range []int64{-1, 1, 4095} {
		require.ErrorContains(t, h.SetLimit(bytes), "choose 0 for no limit, or at least 4096", bytes)
	}
	require.EqualValues(t, 1<<20, h.Stats().LimitBytes)
	require.NoError(t, h.Close())
	require.ErrorIs(t, h.SetLimit(0), errClosed)
}
