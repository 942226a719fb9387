package allocator

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// TestOneOfAsManyIsSampled, whether a program allocates and frees in turn or only allocates.
func TestOneOfAsManyIsSampled(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{ReserveBytes: 64 << 20, ProfileRate: 100})
	require.EqualValues(t, 128, h.header().ProfileRate, "rounded up")
	require.NotEqual(t, h.class[0].phase, h.class[1].phase, "bins begin apart")
	malloc(t, h, 40)
	before := h.sampled.Load()
	for range 128 * 100 {
		require.NoError(t, h.FreePointer(malloc(t, h, 40)))
	}
	require.InDelta(t, 100, h.sampled.Load()-before, 3)
	before = h.sampled.Load()
	for n := range 100_000 {
		malloc(t, h, n%900+1)
	}
	expected := 100_000.0 / 128
	require.InDelta(t, expected, h.sampled.Load()-before, 8*math.Sqrt(expected))
	sound(t, h)
	require.NoError(t, h.SetProfileRate(0))
	before = h.sampled.Load()
	for range 10_000 {
		require.NoError(t, h.FreePointer(malloc(t, h, 40)))
	}
	require.Equal(t, before, h.sampled.Load())
}

// TestARateThatIsBeingChanged: what reads it then holds a P, and may not fail.
func TestARateThatIsBeingChanged(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 16 << 20, ProfileRate: 1 << 14})
	require.EqualValues(t, 1<<14, h.sampleEvery.Load())
	more := uint64(8) // is stored before the sampling follows
	require.True(t, h.chosen(&more, 1))
	less := uint64(1 << 15)
	require.False(t, h.chosen(&less, 1))
	require.True(t, h.chosen(&less, 2))
}

// TestASampledBlockIsRecorded, in a heap that is not audited; when it is freed, that is over.
func TestASampledBlockIsRecorded(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 64 << 20, ProfileRate: 1})
	p := malloc(t, h, 40)
	require.Equal(t, layout.StateRecorded, layout.Seal(*sealAt(p, 40)).State())
	leaks := h.Leaks()
	require.Len(t, leaks, 1)
	require.NotEmpty(t, leaks[0].Allocated.Stack)
	sound(t, h)
	grown, err := h.ReallocPointer(p, 38)
	require.NoError(t, err)
	require.NoError(t, h.FreePointer(grown))
	require.Empty(t, h.Leaks())
	sound(t, h)
	require.ErrorContains(t, h.SetProfileRate(-1), "profile rate")
	plain := newHeap(t, Options{ReserveBytes: 16 << 20, Mode: ModePlain})
	require.ErrorContains(t, plain.SetProfileRate(8), "plain")
	_, err = New(Options{Mode: ModePlain, ProfileRate: 8})
	require.ErrorContains(t, err, "mode is plain")
}

// TestGuardsAndProfileShareTheSampling: each gets what its rate says.
func TestGuardsAndProfileShareTheSampling(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{ReserveBytes: 64 << 20, ProfileRate: 4, GuardRate: 64})
	guarded, recorded := 0, 0
	for range 64 * 100 {
		p := malloc(t, h, 40)
		if h.inGuardPages(uint64(uintptr(p))) {
			guarded++
		} else if layout.Seal(*sealAt(p, 40)).State() == layout.StateRecorded {
			recorded++
		}
		require.NoError(t, h.FreePointer(p))
	}
	require.InDelta(t, 100, guarded, 3)
	require.InDelta(t, 1600, guarded+recorded, 30)
	sound(t, h)
}

// TestLeaksOfAProfileAreEstimates that come near to the truth, of spans they are the truth; what is older is told apart.
func TestLeaksOfAProfileAreEstimates(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{ReserveBytes: 64 << 20, ProfileRate: 64})
	for range 6_400 {
		malloc(t, h, 40)
	}
	for range 12_800 {
		malloc(t, h, 200)
	}
	malloc(t, h, 100_000)
	sound(t, h)
	leaks := map[uint64]Leak{}
	for _, l := range h.Leaks() {
		require.NotNil(t, l.Allocated, "who allocated the rest is estimated")
		leaks[l.Bytes/l.Blocks] = l
	}
	require.Len(t, leaks, 3)
	require.InDelta(t, 6_400, leaks[40].Blocks, 2*64*10)
	require.InDelta(t, 12_800, leaks[200].Blocks, 2*64*14)
	require.InDelta(t, 100, leaks[40].Samples, 20)
	require.EqualValues(t, 1, leaks[100_000].Blocks)
	require.Zero(t, leaks[100_000].Samples)

	older := newHeap(t, Options{ReserveBytes: 64 << 20})
	for range 20_000 {
		malloc(t, older, 40)
	}
	require.NoError(t, older.SetProfileRate(64))
	for range 6_400 {
		malloc(t, older, 40)
	}
	var rest, recorded Leak
	for _, l := range older.Leaks() {
		if l.Allocated == nil {
			rest = l
		} else {
			recorded = l
		}
	}
	require.InDelta(t, 6_400, recorded.Blocks, 2*64*10)
	require.EqualValues(t, 26_400, recorded.Blocks+rest.Blocks)
	require.ErrorContains(t, older.Close(), "about ")
}
