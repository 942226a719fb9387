package allocator

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCloseCountsWhatWasNeverFreed(t *testing.T) {
	h := newHeap(t, Options{Name: "leaky"})
	alloc(t, h, 64)
	alloc(t, h, 256<<10)
	require.NoError(t, h.Free(alloc(t, h, 64)))
	leak := (*LeakError)(nil)
	require.True(t, errors.As(h.Close(), &leak))
	require.EqualValues(t, 2, leak.Blocks)
	require.ErrorContains(t, leak, `heap "leaky" was closed with 2 live blocks`)
}

func TestAClosedHeapGivesNothing(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeSealed, ModeAudit} {
		h := newHeap(t, Options{Mode: mode})
		for _, expected := range []error{nil, errClosed} { // from a place that was there before
			b, err := h.Alloc(40)
			require.ErrorIs(t, err, expected)
			large, err := h.Alloc(256 << 10)
			require.ErrorIs(t, err, expected)
			if expected == nil {
				require.NoError(t, h.Free(b))
				require.NoError(t, h.Free(large))
				require.NoError(t, h.Close())
			}
		}
		require.ErrorIs(t, h.Close(), errClosed)
	}
}

// TestAClosedHeapIsNobodysNeighbour: the addresses of a heap that is gone are foreign, and belong to no heap.
func TestAClosedHeapIsNobodysNeighbour(t *testing.T) {
	h, gone := newHeap(t, Options{Name: "here"}), newHeap(t, Options{Name: "gone"})
	b := alloc(t, gone, 40)
	violated(t, h.Free(b), InvalidFree, `another heap, "gone"`)
	require.Error(t, gone.Close())
	require.NotContains(t, violated(t, h.Free(b), InvalidFree).Error(), "gone")
}
