package allocator

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// TestEachStackIsKeptOnce, also those that share a bucket, and has its name for ever.
func TestEachStackIsKeptOnce(t *testing.T) {
	h := auditHeap(t)
	const stacks = 3 * layout.StackBuckets
	names := map[layout.StackRef]bool{}
	var first []layout.StackRef
	for i := range uint64(stacks) {
		first = append(first, h.internStack([]uint64{0x400000 + i*16, 0x500000, 0x600000 + i}))
		names[first[i]] = true
	}
	require.Len(t, names, stacks)
	for i := range uint64(stacks) {
		require.Equal(t, first[i], h.internStack([]uint64{0x400000 + i*16, 0x500000, 0x600000 + i}))
	}
	require.EqualValues(t, stacks, h.stackTable().Count)
	sound(t, h)
}

// TestTheRecentCallerIsTheCaller, whatever came from its place last: another stack, a part of this one, or one that this is a
// part of.
func TestTheRecentCallerIsTheCaller(t *testing.T) {
	for _, kept := range []int{1, 3, 16, layout.MaxStackDepth} {
		h, err := New(Options{Mode: ModeAudit, StackDepth: kept})
		require.NoError(t, err)
		for depth := range 40 {
			callDeep(depth, func() {
				whole, recent := askWhoCalls(h)
				require.NotZero(t, whole.stack)
				addresses := slices.Clone(frames(h.stackAt(whole.stack.Offset())))
				if recent.stack != 0 {
					require.Equal(t, whole, recent)
				}
				for _, other := range [][]uint64{
					append([]uint64{1}, addresses[1:]...), append(slices.Clone(addresses[:len(addresses)-1]), 1),
					addresses[:len(addresses)-1], append(slices.Clone(addresses), 1),
				} {
					if 0 < len(other) && len(other) <= kept {
						fillPlaces(h, h.internStack(other), len(other))
						_, recent = askWhoCalls(h)
						require.Zero(t, recent.stack, "%d frames, %x is not %x", depth, other, addresses)
					}
				}
				if goroutineWord.Load() != 0 { // else every stack is looked up
					fillPlaces(h, whole.stack, len(addresses))
					_, recent = askWhoCalls(h)
					require.Equal(t, whole, recent)
				}
			})
		}
		require.NoError(t, h.Close())
	}
}

// askWhoCalls asks both for who calls callDeep's function.
//
//go:noinline
func askWhoCalls(h *Heap) (whole, recent caller) {
	recent, _ = recentCaller(&h.recent, 2)
	return h.whoCalls(2), recent
}

//go:noinline
func callDeep(depth int, f func()) {
	if depth == 0 {
		f()
		return
	}
	callDeep(depth-1, f)
}

// fillPlaces makes a stack the one that came last from everywhere.
func fillPlaces(h *Heap, ref layout.StackRef, depth int) {
	for i := range h.recent.byPlace {
		h.recent.byPlace[i].Store(uint64(ref) | uint64(depth)<<32)
	}
}

// TestAnAuditLearnsItsCallers: an operation that was done from a place before finds its stack there.
func TestAnAuditLearnsItsCallers(t *testing.T) {
	h := auditHeap(t)
	if goroutineWord.Load() == 0 {
		t.Skip("with -tags glassheap_portable every stack is looked up: run it without")
	}
	learned := func() (n int) {
		for i := range h.recent.byPlace {
			if h.recent.byPlace[i].Load() != 0 {
				n++
			}
		}
		return n
	}
	for range 3 {
		require.NoError(t, h.Free(alloc(t, h, 64)))
	}
	n := learned()
	require.Equal(t, 2, n)
	stacks := h.stackTable().Count
	for range 100 {
		require.NoError(t, h.Free(alloc(t, h, 64)))
	}
	require.Equal(t, stacks+2, h.stackTable().Count, "one more place, not a hundred")
}
