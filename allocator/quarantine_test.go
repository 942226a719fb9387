package allocator

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// recorder is an audited heap on one P that keeps the violations it tells of.
func recorder(t *testing.T, o Options) (*Heap, *[]*Violation) {
	t.Helper()
	oneCache(t)
	var found []*Violation
	o.Mode, o.ReserveBytes, o.OnViolation = ModeAudit, 64<<20, func(v *Violation) { found = append(found, v) }
	return newHeap(t, o), &found
}

// TestTheQuarantineKeepsToItsLimits: of bytes, of entries, and for all Ps together.
func TestTheQuarantineKeepsToItsLimits(t *testing.T) {
	h, _ := recorder(t, Options{QuarantineBytes: 4096})
	for range 200 {
		require.NoError(t, h.Free(alloc(t, h, 64)))
		require.LessOrEqual(t, h.journal(0).QuarantineBytes, uint64(4096))
	}
	sound(t, h)
	require.LessOrEqual(t, h.quarantineShare.Load()*uint64(h.cachesReady.Load()), uint64(4096))
	require.NoError(t, h.readyCaches(4))
	require.LessOrEqual(t, h.quarantineShare.Load()*4, uint64(4096))

	h, _ = recorder(t, Options{})
	for range layout.QuarantineBlocks + 500 {
		require.NoError(t, h.Free(alloc(t, h, 8)))
	}
	require.EqualValues(t, layout.QuarantineBlocks, h.Stats().Quarantined)
	sound(t, h)
}

// TestTheWayOutIsWatched: a block that was written to while it was held back is not let out, whichever byte it was.
func TestTheWayOutIsWatched(t *testing.T) {
	for what, damage := range map[string]func(h *Heap, b []byte){
		"poison": func(_ *Heap, b []byte) { b[4], b[6] = 1, 1 },
		"slack":  func(_ *Heap, b []byte) { *past(b, 45) = 1 },
		"state":  func(h *Heap, b []byte) { *sealAt(place(b), 48) ^= uint64(layout.StateQuarantined ^ layout.StateLive) },
	} {
		h, found := recorder(t, Options{QuarantineBytes: 4096})
		b := alloc(t, h, 41)
		require.NoError(t, h.Free(b))
		damage(h, b)
		for i := 0; len(*found) == 0 && i < 1000; i++ {
			require.NoError(t, h.Free(alloc(t, h, 41)))
		}
		require.Len(t, *found, 1, what)
		v := (*found)[0]
		require.Equal(t, "free", v.During, "%s: it was let out", what)
		require.EqualValues(t, uintptr(place(b)), v.Block)
		if what == "poison" {
			require.Contains(t, v.Detail, "3 bytes written at +4 of a block after it was freed")
		}
		s := h.Stats()
		require.EqualValues(t, 1, s.Withdrawn)
		require.Zero(t, s.LiveBlocks)
		sound(t, h)
	}
}

// TestTheQuarantineEndsWithTheAudit, not before: the blocks come out when the P needs some, the spans at once.
func TestTheQuarantineEndsWithTheAudit(t *testing.T) {
	h, _ := recorder(t, Options{})
	for range 10 {
		require.NoError(t, h.Free(alloc(t, h, 64)))
	}
	require.NoError(t, h.Free(alloc(t, h, 100_000)))
	for n := 8; n < 4096; n += 100 {
		alloc(t, h, n) // each from a slab of its own
	}
	require.EqualValues(t, 11, h.Stats().Quarantined)
	require.NoError(t, h.SetMode(ModeSealed))
	require.Equal(t, ModeSealed, h.header().Mode)
	require.EqualValues(t, 10, h.Stats().Quarantined)
	for range 3000 {
		alloc(t, h, 64)
	}
	require.Zero(t, h.Stats().Quarantined)
	sound(t, h)
}

// TestSpansThatAreHeldBack take no memory, and at most as much of the reserve as was allowed.
func TestSpansThatAreHeldBack(t *testing.T) {
	for _, limit := range []int64{1, 1 << 20} {
		h, _ := recorder(t, Options{QuarantineBytes: limit})
		for range 40 {
			b := alloc(t, h, 100_000)
			clear(b)
			require.NoError(t, h.Free(b))
			require.LessOrEqual(t, h.header().QuarantinedPages*layout.PageBytes, uint64(limit))
			require.Zero(t, h.Stats().LiveBlocks)
		}
		clear(alloc(t, h, 100_000))
		sound(t, h)
		require.Less(t, h.header().PagesInUse*layout.PageBytes, uint64(limit)+200_000)
	}
}

// TestAuditOfAHeapInUse knows who frees what was allocated before it began, and cuts each slab's records once.
func TestAuditOfAHeapInUse(t *testing.T) {
	h, found := recorder(t, Options{})
	require.NoError(t, h.SetMode(ModeSealed))
	b := alloc(t, h, 64)
	require.NoError(t, h.SetMode(ModeAudit))
	require.Equal(t, ModeAudit, h.header().Mode)
	top := h.header().RecordsTop
	for range 3 {
		require.NoError(t, h.SetMode(ModeSealed))
		require.NoError(t, h.SetMode(ModeAudit))
	}
	require.Equal(t, top, h.header().RecordsTop)
	require.NoError(t, h.Free(b))
	require.EqualValues(t, 1, h.Stats().Quarantined, "it is audited")
	require.Error(t, h.Free(b))
	require.NotNil(t, (*found)[0].Freed)
	require.NoError(t, h.Free(alloc(t, h, 64)))
	require.EqualValues(t, 2, h.Stats().Quarantined)
	sound(t, h)
}

// TestAuditedFreesVerifyAsMuch as those of a sealed heap.
func TestAuditedFreesVerifyAsMuch(t *testing.T) {
	h, found := recorder(t, Options{})
	last := func() *Violation { return (*found)[len(*found)-1] }
	before, behind := neighbours(t, h, 64)
	*past(before, 70) ^= 1
	require.Error(t, h.Free(behind))
	require.Equal(t, Underflow, last().Kind)
	*past(before, 70) ^= 1
	require.NoError(t, h.Free(behind))

	for n, at := range map[int]int{61: 62, 129: 140, 130: 143} { // slack of one word, and of more
		b := alloc(t, h, n)
		*past(b, at) ^= 1
		require.Error(t, h.Free(b), "%d bytes", n)
		require.Equal(t, Overflow, last().Kind)
	}

	for range 20 {
		a, err := h.AllocAligned(40, 64)
		require.NoError(t, err)
		start := uint64(uintptr(place(a)))
		s, index := slabOf(h, a)
		if block := s.Base + uint64(index)*uint64(s.Stride); block != start {
			require.Error(t, h.FreePointer(h.pointer(block)))
			require.Equal(t, InvalidFree, last().Kind)
		}
		require.NoError(t, h.Free(a))
	}
	sound(t, h)
}

// TestDamagedAndFreedIsNoLeak.
func TestDamagedAndFreedIsNoLeak(t *testing.T) {
	h, _ := recorder(t, Options{})
	b := alloc(t, h, 61)
	*past(b, 62) = 0 // in the slack: the seal is whole
	require.Error(t, h.Free(b))
	require.NoError(t, h.Free(alloc(t, h, 100_000)))
	require.Empty(t, h.Leaks())
}

// TestAPoisonedBlockInAMagazineIsWatchedToo: it was let out, and waits to be allocated.
func TestAPoisonedBlockInAMagazineIsWatchedToo(t *testing.T) {
	h, found := recorder(t, Options{QuarantineBytes: 4096})
	b := alloc(t, h, 64)
	require.NoError(t, h.Free(b))
	state := func() layout.State { return layout.Seal(*sealAt(place(b), 64)).State() }
	var live [][]byte
	for range 100 { // so that nobody takes it from the magazine at once
		live = append(live, alloc(t, h, 64))
	}
	for _, l := range live {
		if require.NoError(t, h.Free(l)); state() == layout.StatePoisoned {
			break
		}
	}
	require.Equal(t, layout.StatePoisoned, state())
	b[10] = 1
	for i := 0; len(*found) == 0 && i < 1000; i++ {
		alloc(t, h, 64)
	}
	require.Len(t, *found, 1)
	require.Equal(t, WriteAfterFree, (*found)[0].Kind)
	require.Equal(t, "alloc", (*found)[0].During)
	require.EqualValues(t, uintptr(place(b)), (*found)[0].Block)
	sound(t, h)
}

// TestAuditedSizesAreCompared.
func TestAuditedSizesAreCompared(t *testing.T) {
	h, found := recorder(t, Options{})
	b := alloc(t, h, 64)
	require.Error(t, h.Free(b[:60:60]))
	require.Equal(t, SizeMismatch, (*found)[0].Kind)
	require.NoError(t, h.Free(b))
}

// TestWhatIsInaccessibleTakesNoMemory: the pages of a span that is held back. A guarded block's page keeps what it held.
func TestWhatIsInaccessibleTakesNoMemory(t *testing.T) {
	for _, backing := range []Backing{BackingMemfd, BackingAnonymous} {
		h, _ := recorder(t, Options{Backing: backing})
		require.NoError(t, h.SetGuardRate(1))
		for _, n := range []int{64, 100_000} {
			b := alloc(t, h, n)
			b[0] = 'x'
			require.NoError(t, h.Free(b))
			require.True(t, faults(place(b)))
			page := uint64(uintptr(place(b)))&^(layout.PageBytes-1) - h.baseAddress
			h.memory.unguard(page, layout.PageBytes)
			if n > layout.PageBytes || backing == BackingAnonymous { // a guard takes anonymous memory away
				require.Zero(t, b[0], "it was given back to the system")
			} else {
				require.Equal(t, byte('x'), b[0])
			}
			require.NoError(t, h.memory.guard(page, layout.PageBytes))
		}
	}
}

// TestTheSecondOfTwoFreesLoses when both have found the block live, and leaves nothing behind.
func TestTheSecondOfTwoFreesLoses(t *testing.T) {
	h, found := recorder(t, Options{})
	b := alloc(t, h, 64)
	c := &h.class[h.classOf[64/layout.ClassGrain]]
	seal := layout.Seal(*sealAt(place(b), c.size))
	require.NoError(t, h.quarantine(place(b), c, seal, h.record(slabOf(h, b))))
	require.Error(t, h.quarantine(place(b), c, seal, h.record(slabOf(h, b))))
	require.Equal(t, DoubleFree, (*found)[0].Kind)
	require.EqualValues(t, 1, h.Stats().Quarantined)
	sound(t, h)
}

// TestAFreeIsRecordedForItsBlock, not for its neighbours.
func TestAFreeIsRecordedForItsBlock(t *testing.T) {
	h, _ := recorder(t, Options{})
	before, behind := neighbours(t, h, 64)
	require.NoError(t, h.Free(behind))
	require.NotZero(t, h.record(slabOf(h, behind)).FreeSequence)
	require.Zero(t, h.record(slabOf(h, before)).FreeSequence)
}
