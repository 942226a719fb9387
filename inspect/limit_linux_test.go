package inspect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestTheLimitIsSeenFromOutside, and what counts towards it, as the program itself sees them.
func TestTheLimitIsSeenFromOutside(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "limited", LimitBytes: 8 << 20, ReserveBytes: 64 << 20})
	for range 3 {
		b, err := h.Alloc(300 << 10)
		require.NoError(t, err)
		kept, err := h.Alloc(40)
		require.NoError(t, err)
		require.NotNil(t, kept)
		require.NoError(t, h.Free(b))
	}
	require.NoError(t, h.SetLimit(4<<20))
	own := h.Stats()
	require.NotZero(t, own.RetainedBytes)
	self, err := target.Self(target.Options{Heap: "limited"})
	require.NoError(t, err)
	defer self.Close()
	seen, err := openNamed(t, self, "").Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{4 << 20, own.RetainedBytes, own.InUseBytes}, []uint64{seen.LimitBytes, seen.RetainedBytes, seen.InUseBytes})
}
