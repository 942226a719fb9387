package allocator

import (
	"errors"
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// TestImpossibleSizes: the cases impossibly_large, uncontrolled_size and calloc_overflow.
func TestImpossibleSizes(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 4 << 20})
	limit := int64(4<<20 - 4096 - 8)
	for _, n := range []int{-1, -8, math.MinInt, math.MaxInt, 1 << 62, 1 << 40, int(limit) + 1} {
		_, err := h.Alloc(n)
		wrong := (*SizeError)(nil)
		require.ErrorAs(t, err, &wrong, n)
		require.Equal(t, n, wrong.Size)
		require.Equal(t, limit, wrong.Limit)
	}
	_, err := h.Alloc(-8)
	require.ErrorContains(t, err, "cannot allocate -8 bytes: the size is negative")
	_, err = h.Alloc(1 << 62)
	require.ErrorContains(t, err, "cannot allocate 4611686018427387904 bytes: it is larger than the whole heap (limit 4190200 bytes)")
	for _, product := range [][2]int{{math.MaxInt, 2}, {2, math.MaxInt}, {-1, 8}, {8, -1}, {1 << 32, 1 << 32}} {
		_, err := h.Calloc(product[0], product[1])
		wrong := (*SizeError)(nil)
		require.ErrorAs(t, err, &wrong, product)
	}
	require.Zero(t, h.Stats().LiveBlocks)
	require.Zero(t, h.Stats().MappedBytes)
	require.NoError(t, h.Free(alloc(t, h, int(limit))), "the limit itself can be had")
	require.NoError(t, h.Free(alloc(t, h, 40)))
	sound(t, h)
}

// drain allocates blocks of n bytes until the reserve is exhausted.
func drain(t *testing.T, h *Heap, n int) (blocks []unsafe.Pointer) {
	t.Helper()
	for {
		p, err := h.Malloc(n)
		if err != nil {
			exhausted := (*ExhaustedError)(nil)
			require.ErrorAs(t, err, &exhausted)
			require.NotZero(t, exhausted.WantedBytes, "arenas were short, not descriptors: %d bytes", n)
			return blocks
		}
		blocks = append(blocks, p)
	}
}

// TestTheReserveIsUsedUp: exhaustion comes when every arena is full, not earlier.
func TestTheReserveIsUsedUp(t *testing.T) {
	oneCache(t)
	for _, mode := range []Mode{ModePlain, ModeSealed} {
		for _, n := range []int{8, 40, 1024, 5000, 32 << 10} {
			h := newHeap(t, Options{Mode: mode, ReserveBytes: 3 << 20})
			c := layout.Classes(GeometryDefault, mode.SealBytes())[h.classOf[(n+7)/8]]
			blocks := drain(t, h, n)
			require.Equal(t, 3*int(256/c.SlabPages*c.Capacity), len(blocks), "%s, %d bytes", mode, n)
			require.EqualValues(t, 3<<20, h.Stats().MappedBytes)
			sound(t, h)

			// What is freed can be had again, and nothing more.
			for _, p := range blocks[:len(blocks)/2] {
				require.NoError(t, h.FreePointer(p))
			}
			require.Equal(t, len(blocks)/2, len(drain(t, h, n)))
			sound(t, h)
		}
	}
}

func TestExhaustedErrorSaysWhatToDo(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 2 << 20})
	alloc(t, h, 1<<20)
	_, err := h.Alloc(1 << 20)
	exhausted := (*ExhaustedError)(nil)
	require.True(t, errors.As(err, &exhausted))
	require.Equal(t, ExhaustedError{ReserveBytes: 2 << 20, MappedBytes: 2 << 20, WantedBytes: 2 << 20}, *exhausted)
	require.ErrorContains(t, err, "2 MiB of 2 MiB are mapped and no 2 MiB in one piece are left; raise Options.ReserveBytes")
}

// TestSpansFitWherePagesAreFree: first fit, in the order of addresses, also in arenas that were mapped again.
func TestSpansFitWherePagesAreFree(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 2 << 20, Mode: ModePlain})
	const half = 127 * layout.PageBytes // with its guard page, half an arena
	first := drain(t, h, half)
	require.Len(t, first, 4)
	for _, order := range [][]int{{0, 1, 2, 3}, {2, 3, 0, 1}, {3, 1, 2, 0}} {
		for _, i := range order {
			require.NoError(t, h.FreePointer(first[i]))
		}
		require.ElementsMatch(t, first, drain(t, h, half), order)
	}
	for _, i := range []int{0, 2} {
		require.NoError(t, h.FreePointer(first[i]))
	}
	_, err := h.Malloc(half + 1)
	require.Error(t, err, "two pieces are not one")
	small := malloc(t, h, half/2)
	require.Equal(t, first[0], small)
	require.Equal(t, first[2], malloc(t, h, half), "the next piece that is large enough")
	require.Equal(t, unsafe.Add(first[0], 65*layout.PageBytes), malloc(t, h, 62*layout.PageBytes), "behind the small one and its guard page")
	sound(t, h)
}

// TestAnAlignedSpanTakesTheFirstPlace that is aligned, wherever the free pages begin.
func TestAnAlignedSpanTakesTheFirstPlace(t *testing.T) {
	const align = 16 * layout.PageBytes
	for pages := 16; pages <= 32; pages++ { // with its guard page, one more
		h := newHeap(t, Options{ReserveBytes: 1 << 20, Mode: ModePlain})
		before := malloc(t, h, pages*layout.PageBytes)
		aligned, err := h.AllocAligned(20*layout.PageBytes, align)
		require.NoError(t, err)
		require.Equal(t, unsafe.Add(before, (pages+1+15)/16*align), place(aligned), "behind %d pages", pages)
		sound(t, h)
	}
}

// TestALoneArenaIsUsedAgain, one that was too little for a span that looked there.
func TestALoneArenaIsUsedAgain(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 5 << 20})
	const one, two = 900 << 10, 1500 << 10 // arenas
	huge, after := alloc(t, h, two), alloc(t, h, one)
	start := place(huge)
	require.NoError(t, h.Free(huge))
	require.Equal(t, start, place(alloc(t, h, one)))
	require.Equal(t, unsafe.Add(place(after), 1<<20), place(alloc(t, h, two)), "behind all others")
	require.Equal(t, unsafe.Add(start, 1<<20), place(alloc(t, h, one)), "the one between")
	require.EqualValues(t, 5<<20, h.Stats().MappedBytes)
	sound(t, h)
}

// TestBlocksComeInTheOrderOfAddresses from a heap that is new: neighbours in time are neighbours in memory.
func TestBlocksComeInTheOrderOfAddresses(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{})
	last := malloc(t, h, 40)
	for range 2000 {
		p := malloc(t, h, 40)
		require.Greater(t, uintptr(p), uintptr(last))
		last = p
	}
}

// TestTheWholeReserveInOnePiece: an arena that is kept for the next slab does not stand in the way.
func TestTheWholeReserveInOnePiece(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 4 << 20, RetainBytes: 1})
	require.NoError(t, h.Free(alloc(t, h, 100<<10)))
	require.EqualValues(t, 1<<20, h.Stats().MappedBytes, "one arena is kept")
	whole := alloc(t, h, 4<<20-4096-8)
	sound(t, h)
	require.NoError(t, h.Free(whole))
	require.Zero(t, h.Stats().MappedBytes)
	sound(t, h)
}

// TestEveryClassCanHaveTheReserve, one after the other: what the descriptors of one take is not missing for the next.
func TestEveryClassCanHaveTheReserve(t *testing.T) {
	for _, geometry := range []Geometry{GeometryDefault, GeometryNotes, GeometryAligned} {
		for _, mode := range []Mode{ModePlain, ModeSealed} {
			h := newHeap(t, Options{Geometry: geometry, Mode: mode, ReserveBytes: 2 << 20})
			for _, c := range layout.Classes(geometry, mode.SealBytes()) {
				for _, p := range drain(t, h, int(c.Size)) {
					require.NoError(t, h.FreePointer(p))
				}
				h.Scavenge()
			}
			sound(t, h)
		}
	}
}

// TestWhatIsIdleDoesNotExhaustTheReserve: it is given back first, unasked.
func TestWhatIsIdleDoesNotExhaustTheReserve(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{ReserveBytes: 3 << 20})
	for _, n := range []int{56, 1000, 200 << 10, 24, 20 << 10, 56} {
		blocks := drain(t, h, n)
		require.Greater(t, len(blocks)*n, 2<<20, n)
		for _, p := range blocks {
			require.NoError(t, h.FreePointer(p))
		}
	}
	sound(t, h)
}

// TestDescriptorsAreUsedAgain: a program that goes up and down needs no more of them than at its highest.
func TestDescriptorsAreUsedAgain(t *testing.T) {
	h := newHeap(t, Options{})
	top := uint64(0)
	for round := range 20 {
		var blocks []unsafe.Pointer
		for i := range 3000 {
			blocks = append(blocks, malloc(t, h, 8+i%512))
		}
		for range 10 {
			blocks = append(blocks, malloc(t, h, 100<<10))
		}
		for _, p := range blocks {
			require.NoError(t, h.FreePointer(p))
		}
		h.Scavenge()
		if round == 1 { // by then each cache that the test may run on was used
			top = h.header().DescriptorsTop
		}
	}
	require.InDelta(t, top, h.header().DescriptorsTop, 64<<10)
	sound(t, h)
}

// TestZeroSizes: the cases zero_size_distinct and free_zero_slice.
func TestZeroSizes(t *testing.T) {
	h := newHeap(t, Options{})
	require.NoError(t, h.Free(nil))
	require.NoError(t, h.FreePointer(nil))
	for range 2 {
		b := alloc(t, h, 0)
		require.NotNil(t, b)
		require.Zero(t, cap(b))
		require.NoError(t, h.Free(b))
	}
	require.Zero(t, h.Stats().Allocs, "an empty slice is no block")
	seen := map[unsafe.Pointer]bool{}
	for range 300 {
		p := malloc(t, h, 0)
		require.False(t, seen[p], "the address of a live block of another")
		seen[p] = true
		n, err := h.UsableSize(p)
		require.NoError(t, err)
		require.Zero(t, n)
		seen[malloc(t, h, 8)] = true
	}
	p := malloc(t, h, 0)
	*(*byte)(p) = 1
	violated(t, h.FreePointer(p), Overflow, "overflow by 1 byte, past a live block of 0")
}
