package allocator

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// TestTheLogKeepsTheLast operations, each with a number of its own, whoever else takes numbers.
func TestTheLogKeepsTheLast(t *testing.T) {
	h := auditHeap(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range layout.LogEvents + 137 {
				if err := h.FreePointer(malloc(t, h, 64)); err != nil {
					panic(err)
				}
			}
		})
	}
	all.Wait()
	numbers := map[uint64]bool{}
	for p := range int(h.header().JournalsReady) {
		j := h.journal(p)
		newest := uint64(0)
		for i := range min(j.Events, layout.LogEvents) {
			e := j.Log[i]
			require.False(t, numbers[e.Sequence], "two operations have the number %d", e.Sequence)
			numbers[e.Sequence] = true
			newest = max(newest, e.Sequence)
		}
		if j.Events > 0 {
			require.Equal(t, newest, j.Log[(j.Events-1)%layout.LogEvents].Sequence)
		}
	}
	require.GreaterOrEqual(t, len(numbers), layout.LogEvents)
}

// TestStacksAreKeptOnce, also of two that share a chain, and no deeper than was asked for.
func TestStacksAreKeptOnce(t *testing.T) {
	h := newHeap(t, Options{Mode: ModeAudit, ReserveBytes: 16 << 20, StackDepth: 3})
	chain := func(i uint64) uint64 { return layout.HashStack([]uint64{i, i}) % layout.StackBuckets }
	other := uint64(2)
	for chain(other) != chain(1) {
		other++
	}
	first, second := h.internStack([]uint64{1, 1}), h.internStack([]uint64{other, other})
	require.NotEqual(t, first, second)
	require.Equal(t, first, h.internStack([]uint64{1, 1}))
	require.Equal(t, second, h.internStack([]uint64{other, other}))
	require.EqualValues(t, 2, h.stackTable().Count)
	b := alloc(t, h, 64)
	s, index := slabOf(h, b)
	require.EqualValues(t, 3, h.stackAt(h.record(s, index).AllocStack.Offset()).Depth)
}
