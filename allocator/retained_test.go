package allocator

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

const mib = 1 << 20

// huge is a span of so many arenas, with its guard page.
func huge(t *testing.T, h *Heap, arenas int) []byte {
	return alloc(t, h, arenas*mib-2*layout.PageBytes)
}

// arenaStates are those of all arenas that were ever used.
func arenaStates(h *Heap) (states []layout.ArenaState) {
	for i := range h.header().ArenasUsed {
		states = append(states, h.arena(i).State)
	}
	return states
}

const (
	unmapped = layout.ArenaUnmapped
	pages    = layout.ArenaPages
	head     = layout.ArenaHuge
	tail     = layout.ArenaHugeTail
	retained = layout.ArenaRetained
)

// TestFreedHugeSpansAreRetained, for the next huge span or a part of it, for two that need what one had, and for pages.
func TestFreedHugeSpansAreRetained(t *testing.T) {
	for _, mode := range []Mode{ModeSealed, ModePlain} {
		h := newHeap(t, Options{Mode: mode})
		first, second := huge(t, h, 3), huge(t, h, 2)
		first[0], second[0] = 1, 2
		require.NoError(t, h.Free(first))
		require.Equal(t, []layout.ArenaState{retained, retained, retained, head, tail}, arenaStates(h))
		s := h.Stats()
		require.EqualValues(t, []uint64{3 * mib, 2 * mib, 5 * mib}, []uint64{s.RetainedBytes, s.InUseBytes, s.MappedBytes})
		sound(t, h)

		again := huge(t, h, 2)
		require.Equal(t, place(first), place(again))
		require.EqualValues(t, 1, again[0], "as it was left: nothing was faulted in")
		require.Equal(t, []layout.ArenaState{head, tail, retained, head, tail}, arenaStates(h))
		require.EqualValues(t, mib, h.Stats().RetainedBytes)
		sound(t, h)

		require.NoError(t, h.Free(second))
		require.Equal(t, []layout.ArenaState{head, tail, retained, retained, retained}, arenaStates(h))
		wide := huge(t, h, 3)
		require.Equal(t, unsafe.Add(place(first), 2*mib), place(wide), "the neighbours of two spans")
		require.EqualValues(t, 2, wide[mib])
		require.NoError(t, h.Free(wide))
		sound(t, h)

		span := alloc(t, h, 900<<10)
		require.Equal(t, place(wide), place(span))
		require.Equal(t, []layout.ArenaState{head, tail, pages, retained, retained}, arenaStates(h))
		s = h.Stats()
		require.EqualValues(t, 5*mib, s.MappedBytes)
		require.Equal(t, s.MappedBytes, s.RetainedBytes+s.InUseBytes, "its free pages hold memory too")
		sound(t, h)
		require.NoError(t, h.Free(again))
		require.NoError(t, h.Free(span))
		sound(t, h)
	}
}

// TestRetainBytesOfHugeSpans: what was freed last is retained, unless it is too large.
func TestRetainBytesOfHugeSpans(t *testing.T) {
	h := newHeap(t, Options{RetainBytes: 4 * mib})
	first, second, third := huge(t, h, 5), huge(t, h, 3), huge(t, h, 2)
	require.NoError(t, h.Free(first))
	require.Zero(t, h.Stats().RetainedBytes, "too large")
	require.NoError(t, h.Free(second))
	require.EqualValues(t, 3*mib, h.Stats().RetainedBytes)
	require.NoError(t, h.Free(third))
	require.EqualValues(t, 2*mib, h.Stats().RetainedBytes)
	require.Equal(t, []layout.ArenaState{unmapped, unmapped, unmapped, unmapped, unmapped, unmapped, unmapped, unmapped, retained, retained}, arenaStates(h))
	sound(t, h)

	run := alloc(t, h, 900<<10)
	require.NoError(t, h.Free(run))
	require.NoError(t, h.Free(huge(t, h, 4)))
	require.NotContains(t, arenaStates(h), retained, "beside free pages there is no room")
	require.NotZero(t, h.Stats().RetainedBytes, "these stay")
	require.NoError(t, h.Free(huge(t, h, 2)))
	require.NoError(t, h.Free(huge(t, h, 5)))
	require.Contains(t, arenaStates(h), retained, "what is too large takes nobody's place")
	sound(t, h)
}

// TestRetainedArenasDoNotStandInTheWay of a span that needs the place or the memory.
func TestRetainedArenasDoNotStandInTheWay(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 8 * mib})
	low, high := huge(t, h, 3), huge(t, h, 3)
	require.NoError(t, h.Free(low))
	require.NoError(t, h.Free(huge(t, h, 2)))
	require.NoError(t, h.Free(high))
	whole := huge(t, h, 8)
	require.Equal(t, place(low), place(whole))
	require.NoError(t, h.Free(whole))
	sound(t, h)

	h.Scavenge()
	require.Zero(t, h.Stats().RetainedBytes)
	require.Zero(t, h.Stats().MappedBytes)
	sound(t, h)
}

// TestRetainedArenasCountOnceAgainstTheLimit, whether they are in use or not.
func TestRetainedArenasCountOnceAgainstTheLimit(t *testing.T) {
	h := newHeap(t, Options{LimitBytes: 5 * mib})
	b := huge(t, h, 4)
	b[0] = 1
	require.NoError(t, h.Free(b))
	again := huge(t, h, 4)
	require.EqualValues(t, 1, again[0], "there was no need to give it back")
	_, err := h.Alloc(2 * mib)
	var limit *LimitError
	require.ErrorAs(t, err, &limit)
	require.NoError(t, h.Free(again))
	require.EqualValues(t, 4*mib, h.Stats().RetainedBytes)
	three := alloc(t, h, 900<<10)
	require.NoError(t, h.Free(huge(t, h, 3)))
	require.LessOrEqual(t, h.Stats().RetainedBytes+h.Stats().InUseBytes, uint64(5*mib))
	require.NoError(t, h.SetLimit(2*mib))
	require.LessOrEqual(t, h.Stats().RetainedBytes+h.Stats().InUseBytes, uint64(2*mib))
	_, err = h.Alloc(1100 << 10)
	require.ErrorAs(t, err, &limit)
	require.NoError(t, h.Free(three))
	sound(t, h)
}

// TestARetainedSpanThatMayNotBeTaken, as all others use more than the limit.
func TestARetainedSpanThatMayNotBeTaken(t *testing.T) {
	h := newHeap(t, Options{})
	kept, freed := huge(t, h, 5), huge(t, h, 3)
	require.NoError(t, h.SetLimit(4*mib))
	require.NoError(t, h.Free(freed))
	require.Contains(t, arenaStates(h), retained)
	_, err := h.Alloc(len(freed))
	var limit *LimitError
	require.ErrorAs(t, err, &limit)
	require.Zero(t, h.Stats().RetainedBytes)
	sound(t, h)
	require.NoError(t, h.Free(kept))
	sound(t, h)
}

// TestFreePagesGoAfterRetainedArenas, when these do not hold enough.
func TestFreePagesGoAfterRetainedArenas(t *testing.T) {
	h := newHeap(t, Options{})
	var spans [][]byte
	for range 3 {
		spans = append(spans, alloc(t, h, 900<<10))
		alloc(t, h, 40<<10) // no arena becomes free
	}
	for _, b := range append(spans, huge(t, h, 2)) {
		require.NoError(t, h.Free(b))
	}
	limit := func(most int64) uint64 {
		h.lockPages()
		defer h.unlockPages()
		h.limitDirtyPages(most)
		return h.idleBytes()
	}
	require.EqualValues(t, 3*227*layout.PageBytes+2*mib, limit(5*mib))
	require.EqualValues(t, 3*227*layout.PageBytes, limit(3*mib))
	require.NoError(t, h.Free(huge(t, h, 2)))
	require.Zero(t, limit(2*mib))
	sound(t, h)
}

// TestHugeSpansInAuditModeAreZero when they are new, whatever was retained before.
func TestHugeSpansInAuditModeAreZero(t *testing.T) {
	h := newHeap(t, Options{})
	b := huge(t, h, 2)
	b[0] = 1
	require.NoError(t, h.Free(b))
	require.NoError(t, h.SetMode(ModeAudit))
	fresh := huge(t, h, 2)
	require.Zero(t, fresh[0])
	require.NoError(t, h.Free(fresh))
	require.EqualValues(t, 2*mib, h.Stats().RetainedBytes, "what was retained before, no more")
	sound(t, h)
}
