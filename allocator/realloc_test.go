package allocator

import (
	"bytes"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

func TestReallocOfWhatIsNoLiveBlock(t *testing.T) {
	h := newHeap(t, Options{})
	_, err := h.ReallocPointer(unsafe.Pointer(new([64]byte)), 16) // realloc_foreign
	violated(t, err, InvalidFree, "during realloc", "does not belong to this heap")

	a := alloc(t, h, 64) // realloc_freed
	require.NoError(t, h.Free(a))
	_, err = h.Realloc(a, 64)
	violated(t, err, UseAfterFree, "during realloc", "the block is free already")

	big := alloc(t, h, 256<<10)
	require.NoError(t, h.Free(big))
	_, err = h.Realloc(big, 64)
	violated(t, err, UseAfterFree, "the span that began here is free already")

	b := alloc(t, h, 64)
	_, err = h.Realloc(b[:60:60], 100)
	violated(t, err, SizeMismatch, "during realloc", "allocated with 64 bytes, freed as 60")
	sound(t, h)
}

func TestUsableSizeOfWhatIsNoLiveBlock(t *testing.T) { // usable_size_invalid
	h := newHeap(t, Options{})
	live := alloc(t, h, 100)
	n, err := h.UsableSize(place(live))
	require.NoError(t, err)
	require.Equal(t, 100, n)
	freed := alloc(t, h, 100)
	require.NoError(t, h.Free(freed))
	for name, c := range map[string]struct {
		p    unsafe.Pointer
		kind Kind
	}{
		"freed":    {place(freed), UseAfterFree},
		"interior": {unsafe.Pointer(&live[3]), InvalidFree},
		"foreign":  {unsafe.Pointer(new([64]byte)), InvalidFree},
		"nil":      {nil, InvalidFree},
	} {
		n, err := h.UsableSize(c.p)
		require.Equal(t, "usable size", violated(t, err, c.kind).During, name)
		require.Zero(t, n, name)
	}
}

// TestReallocKeepsAndWatches: the contents stay, and the byte behind the new size is watched, whether it grew or shrank, moved
// or not (realloc_keeps_and_zeroes).
func TestReallocKeepsAndWatches(t *testing.T) {
	for _, sizes := range [][]int{{48, 40, 56, 112}, {144, 130, 140, 129}, {64, 63, 58, 64}, {40000, 39000, 40900, 45056, 36860, 300, 100000}, {3 << 20, 3<<20 - 5000, 1 << 20, 4 << 20}} {
		h := newHeap(t, Options{})
		a := alloc(t, h, sizes[0])
		fill := func(from int) {
			for i := from; i < len(a); i++ {
				a[i] = byte(i*7 + i>>8)
			}
		}
		fill(0)
		for _, n := range sizes[1:] {
			kept := bytes.Clone(a[:min(len(a), n)])
			b, err := h.Realloc(a, n)
			require.NoError(t, err)
			require.Len(t, b, n)
			require.Equal(t, n, cap(b))
			require.True(t, bytes.Equal(kept, b[:len(kept)]), "%v at %d", sizes, n)
			a = b
			fill(len(kept))
			for _, behind := range []int{0, 1, 7} {
				*past(a, n+behind) ^= 1
				_, err = h.UsableSize(place(a))
				violated(t, err, Overflow)
				*past(a, n+behind) ^= 1
			}
			used, err := h.UsableSize(place(a))
			require.NoError(t, err)
			require.Equal(t, n, used)
			sound(t, h)
		}
		require.NoError(t, h.Free(a))
		require.Zero(t, h.Stats().LiveBlocks)
	}
}

// TestReallocStaysWhereItCan: in its class, or on its pages.
func TestReallocStaysWhereItCan(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeSealed} {
		seal := int(mode.SealBytes())
		for _, c := range []struct {
			from, to int
			stays    bool
		}{
			{130, 144, true}, {144, 129, true}, {144, 128, false}, {144, 145, false},
			{40960 - seal, 36864 - seal + 1, true}, {40960 - seal, 36864 - seal, false}, {36864 - seal + 1, 40960 - seal, true}, {40960 - seal, 40961 - seal, false},
			{36864 - seal, 32768, false},
		} {
			h := newHeap(t, Options{Mode: mode})
			a := alloc(t, h, c.from)
			b, err := h.Realloc(a, c.to)
			require.NoError(t, err)
			require.Equal(t, c.stays, place(a) == place(b), "%s: %d to %d", mode, c.from, c.to)
			require.NoError(t, h.Free(b))
			sound(t, h)
		}
	}
}

func TestReallocFromAndToNothing(t *testing.T) {
	h := newHeap(t, Options{})
	a, err := h.Realloc(nil, 40)
	require.NoError(t, err)
	require.Len(t, a, 40)
	a, err = h.Realloc(a, 0)
	require.NoError(t, err)
	require.NotNil(t, a)
	require.Empty(t, a)
	require.Zero(t, h.Stats().LiveBlocks)
	p, err := h.ReallocPointer(nil, 40)
	require.NoError(t, err)
	p, err = h.ReallocPointer(p, 0)
	require.NoError(t, err)
	require.NoError(t, h.FreePointer(p))
	require.Zero(t, h.Stats().LiveBlocks)
}

// TestAFailedReallocChangesNothing: the block is still valid.
func TestAFailedReallocChangesNothing(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 1 << 20})
	a := alloc(t, h, 40)
	copy(a, "still here")
	for _, n := range []int{-1, 1 << 40, 1 << 20} {
		_, err := h.Realloc(a, n)
		wrong := (*SizeError)(nil)
		require.ErrorAs(t, err, &wrong)
	}
	_, err := h.Realloc(a, 1<<20-5000) // not beside the slab
	exhausted := (*ExhaustedError)(nil)
	require.ErrorAs(t, err, &exhausted)
	require.Equal(t, "still here", string(a[:10]))
	require.NoError(t, h.Free(a))
	sound(t, h)
}

func TestReallocGrowth(t *testing.T) { // realloc_growth
	h := newHeap(t, Options{ReserveBytes: 8 << 30})
	a := alloc(t, h, 4<<10)
	for n := 4 << 10; n < 60<<20; n = n * 3 / 2 {
		var err error
		a, err = h.Realloc(a, n)
		require.NoError(t, err)
		for i := 0; i < n; i += 64 {
			a[i] = byte(n)
		}
	}
	require.NoError(t, h.Free(a))
	sound(t, h)
}

func TestReallocOnAnotherGoroutine(t *testing.T) { // realloc_other_goroutine
	h := newHeap(t, Options{})
	blocks := make(chan []byte, 100)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(blocks)
		for i := range 20000 {
			b, err := h.Alloc(1 + i%700)
			if err != nil {
				t.Error(err)
				return
			}
			blocks <- b
		}
	})
	for b := range blocks {
		b, err := h.Realloc(b, 1+len(b)*2)
		require.NoError(t, err)
		require.NoError(t, h.Free(b))
	}
	wg.Wait()
	require.Zero(t, h.Stats().LiveBlocks)
	sound(t, h)
}

func TestCallocIsZeroed(t *testing.T) { // calloc_zeroed
	for _, n := range [][2]int{{128, 16}, {1, 8}, {100, 1000}} {
		h := newHeap(t, Options{})
		for range 3 {
			b := alloc(t, h, n[0]*n[1])
			for i := range b {
				b[i] = 0xee
			}
			require.NoError(t, h.Free(b))
			p, err := h.Calloc(n[0], n[1])
			require.NoError(t, err)
			require.Equal(t, make([]byte, n[0]*n[1]), unsafe.Slice((*byte)(p), n[0]*n[1]))
			zeroed, err := h.AllocZeroed(n[0] * n[1])
			require.NoError(t, err)
			require.Equal(t, make([]byte, n[0]*n[1]), zeroed)
			require.NoError(t, h.FreePointer(p))
			require.NoError(t, h.Free(zeroed))
		}
	}
}

func TestAligned(t *testing.T) { // aligned
	for _, mode := range []Mode{ModePlain, ModeSealed} {
		for _, geometry := range []Geometry{GeometryDefault, GeometryNotes, GeometryAligned} {
			h := newHeap(t, Options{Mode: mode, Geometry: geometry, ReserveBytes: 1 << 30})
			for align := 1; align <= layout.ArenaBytes; align *= 2 {
				for _, n := range []int{1, 8, 9, 100, 1000, 4000, 4096, 20000, 70000, 2 << 20} {
					a, err := h.AllocAligned(n, align)
					require.NoError(t, err)
					require.Zero(t, uintptr(place(a))%uintptr(align), "%d bytes at %d", n, align)
					require.Equal(t, n, cap(a))
					for i := range a {
						a[i] = 0xff
					}
					if align%512 != 0 {
						require.NoError(t, h.Free(a)) // the others stay, so that what comes next lies elsewhere
					}
				}
			}
			sound(t, h)
			for _, align := range []int{0, -8, 3, 48, 2 << 20, 1 << 40} {
				_, err := h.AllocAligned(40, align)
				require.ErrorContains(t, err, "it must be a power of two from 1 to 1048576", align)
			}
			empty, err := h.AllocAligned(0, 64)
			require.NoError(t, err)
			require.Empty(t, empty)
			_, err = h.AllocAligned(-1, 64)
			wrong := (*SizeError)(nil)
			require.ErrorAs(t, err, &wrong)
		}
	}
}
