package allocator

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGuardedBlocksLeakToo: they are live like any other, and their slots say who allocated them. Freed ones and held spans are not.
func TestGuardedBlocksLeakToo(t *testing.T) {
	h := newHeap(t, Options{Mode: ModeAudit, GuardRate: 1, ReserveBytes: 64 << 20, Policy: PolicyReport})
	kept, freed, large := malloc(t, h, 100), malloc(t, h, 100), malloc(t, h, 100_000)
	require.NoError(t, h.FreePointer(freed))
	require.NoError(t, h.FreePointer(large))
	require.True(t, h.inGuardPages(uint64(uintptr(kept))))
	leaks := h.Leaks()
	require.Len(t, leaks, 1)
	require.Equal(t, []uint64{1, 100}, []uint64{leaks[0].Blocks, leaks[0].Bytes})
	require.Contains(t, leaks[0].Allocated.Frames()[0].Function, "testing.tRunner")
}
