package allocator

import (
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestOneInSoManyIsGuarded, and none when sampling is off.
func TestOneInSoManyIsGuarded(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{ReserveBytes: 16 << 20, GuardRate: 3}) // rounded up to 4
	count := func() (guarded int) {
		for range 400 {
			b := alloc(t, h, 64)
			if h.inGuardPages(uint64(uintptr(place(b)))) {
				guarded++
			}
			require.NoError(t, h.Free(b))
		}
		return guarded
	}
	require.InDelta(t, 100, count(), 20)
	require.EqualValues(t, 4, h.header().GuardRate)
	require.NoError(t, h.SetGuardRate(1))
	require.Equal(t, 400, count())
	require.NoError(t, h.SetGuardRate(0))
	require.Zero(t, count())
	require.Zero(t, h.header().GuardRate)
	sound(t, h)
}

// TestWhenEverySlotIsTaken other blocks serve, in every mode, and are as healthy as any.
func TestWhenEverySlotIsTaken(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeSealed, ModeAudit} {
		h := newHeap(t, Options{Mode: mode, ReserveBytes: 16 << 20, GuardRate: 1})
		var blocks [][]byte
		for range layout.GuardSlots + 100 {
			blocks = append(blocks, alloc(t, h, 61))
		}
		require.EqualValues(t, layout.GuardSlots, h.guardPool().Live)
		require.EqualValues(t, layout.GuardSlots+100, h.Stats().LiveBlocks)
		sound(t, h)
		for _, b := range blocks {
			require.NoError(t, h.Free(b))
		}
		require.Zero(t, h.Stats().LiveBlocks)
		sound(t, h)
	}
}

// TestGuardedBlocksCountOnce, whether they get a page, find no slot or are asked for aligned, in the program and outside.
func TestGuardedBlocksCountOnce(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeSealed, ModeAudit} {
		h := newHeap(t, Options{Mode: mode, ReserveBytes: 16 << 20, GuardRate: 1})
		counts := func(allocs, frees int) {
			t.Helper()
			s := h.Stats()
			require.Equal(t, []int{allocs, frees}, []int{int(s.Allocs), int(s.Frees)})
			self, err := target.Self(target.Options{Heap: h.Name()})
			require.NoError(t, err)
			defer self.Close()
			looked, err := inspect.Open(t.Context(), self)
			require.NoError(t, err)
			outside, err := looked.Stats(t.Context())
			require.NoError(t, err)
			require.Equal(t, []int{allocs, frees}, []int{int(outside.Allocs), int(outside.Frees)})
		}
		counts(0, 0)
		var blocks [][]byte
		for range layout.GuardSlots + 10 {
			blocks = append(blocks, alloc(t, h, 61))
		}
		counts(len(blocks), 0)
		for i, b := range blocks {
			require.NoError(t, h.Free(b))
			if i == 3 {
				counts(len(blocks), 4)
			}
		}
		counts(len(blocks), len(blocks))
		large := alloc(t, h, layout.PageBytes+1) // no page holds it
		aligned, err := h.AllocAligned(100, 64)
		require.NoError(t, err)
		counts(len(blocks)+2, len(blocks))
		require.NoError(t, h.Free(large))
		require.NoError(t, h.Free(aligned))
		counts(len(blocks)+2, len(blocks)+2)
		sound(t, h)
	}
}

// TestSlotsAreTakenInTurn, so that what was freed stays inaccessible for as long as can be.
func TestSlotsAreTakenInTurn(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 16 << 20, GuardRate: 1})
	pages := map[uint64]bool{}
	for range layout.GuardSlots {
		b := alloc(t, h, 64)
		page := uint64(uintptr(place(b))) / layout.PageBytes
		require.False(t, pages[page])
		pages[page] = true
		require.NoError(t, h.Free(b))
	}
}

// TestDamageAroundAGuardedBlock on its page is told when it is freed, and goes with the page.
func TestDamageAroundAGuardedBlock(t *testing.T) {
	var found []*Violation
	h := newHeap(t, Options{ReserveBytes: 16 << 20, GuardRate: 1, OnViolation: func(v *Violation) { found = append(found, v) }})
	kinds := map[Kind]bool{}
	for range 40 {
		b := alloc(t, h, 61)
		kind, offset := Underflow, -1
		if uint64(uintptr(place(b)))%layout.PageBytes == 0 {
			kind, offset = Overflow, 100
		} else if len(kinds) > 1 {
			kind, offset = Overflow, 62 // between it and its page's end
		}
		*past(b, offset) = 1
		require.Error(t, h.Free(b))
		require.Equal(t, kind, found[len(found)-1].Kind)
		kinds[kind] = true
		require.Error(t, h.Free(b))
		require.Equal(t, DoubleFree, found[len(found)-1].Kind)
	}
	require.Len(t, kinds, 2)
	require.Zero(t, h.Stats().LiveBlocks)
	sound(t, h)
}

// TestWhatAFaultMeans, by the address alone.
func TestWhatAFaultMeans(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 16 << 20, GuardRate: 1})
	var blocks [2][]byte
	for i := range blocks {
		blocks[i] = alloc(t, h, 64)
	}
	page := func(i int) uint64 { return h.guardPages + layout.GuardPage(i) }
	address := func(i int) uint64 { return uint64(uintptr(place(blocks[i]))) }
	between := page(0) + layout.PageBytes
	require.Equal(t, address(0), Explain(between).Block, "right behind the first one's page")
	require.Equal(t, address(1), Explain(between+layout.PageBytes-8).Block, "right before the second one's")
	v := Explain(between)
	require.Equal(t, OutOfBounds, v.Kind)
	if address(0)+64 == between {
		require.Contains(t, v.Detail, "+64, 1 behind the end of a block of 64 bytes")
	}
	require.NoError(t, h.Free(blocks[0]))
	require.Equal(t, UseAfterFree, Explain(address(0)).Kind)
	require.Equal(t, UseAfterFree, Explain(page(0)).Kind)
	v = Explain(between)
	require.Equal(t, OutOfBounds, v.Kind)
	require.Contains(t, v.Detail, "which was freed")

	require.NoError(t, h.SetGuardRate(0))
	span := alloc(t, h, 100_000)
	require.Nil(t, Explain(uint64(uintptr(place(span)))))
	require.Equal(t, OutOfBounds, Explain(uint64(uintptr(place(span)))+25*layout.PageBytes).Kind)
}

// TestAGuardedSpanHasNoSeal, and nobody says so.
func TestAGuardedSpanHasNoSeal(t *testing.T) {
	h := newHeap(t, Options{Name: "guarded span", ReserveBytes: 16 << 20, GuardRate: 1})
	span := alloc(t, h, 100_000)
	self, err := target.Self(target.Options{Heap: h.Name()})
	require.NoError(t, err)
	defer self.Close()
	opened, err := inspect.Open(t.Context(), self)
	require.NoError(t, err)
	w, err := opened.Whatis(uint64(uintptr(place(span))))
	require.NoError(t, err)
	require.True(t, w.Block.Guarded)
	require.Equal(t, inspect.SealNone, w.Block.Seal)
}

// TestCatchFaultsLeavesTheRestAlone: other panics, and the goroutine's other faults.
func TestCatchFaultsLeavesTheRestAlone(t *testing.T) {
	require.PanicsWithValue(t, "mine", func() { _ = CatchFaults(func() { panic("mine") }) })
	require.NoError(t, CatchFaults(func() {}))
	require.False(t, debug.SetPanicOnFault(false))
}

// TestSizesOfGuardedBlocks: they are compared, and what does not fit on a page is not guarded.
func TestSizesOfGuardedBlocks(t *testing.T) {
	var found []*Violation
	h := newHeap(t, Options{ReserveBytes: 16 << 20, GuardRate: 1, OnViolation: func(v *Violation) { found = append(found, v) }})
	b := alloc(t, h, 64)
	require.Error(t, h.Free(b[:60:60]))
	require.Equal(t, SizeMismatch, found[0].Kind)
	require.NoError(t, h.Free(b))
	for _, n := range []int{0, 1, 4089, 4096, 4097, 4104, 5000} {
		for range 20 {
			p := malloc(t, h, n)
			clear(unsafe.Slice((*byte)(p), n))
			require.Equal(t, n <= layout.PageBytes, h.inGuardPages(uint64(uintptr(p))), n)
			require.NoError(t, h.FreePointer(p))
		}
	}
	sound(t, h)
}
