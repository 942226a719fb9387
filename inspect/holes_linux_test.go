package inspect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestHugeSpanAmongHoles: what the page map says of a span of 70 GiB is zeros, of which the memory file has none.
func TestHugeSpanAmongHoles(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "huge among holes", ReserveBytes: 100 << 30})
	huge, err := h.Alloc(70 << 30)
	require.NoError(t, err)
	self, err := target.Self(target.Options{Heap: h.Name()})
	require.NoError(t, err)
	defer self.Close()
	r, err := inspect.Check(t.Context(), self, inspect.CheckOptions{})
	require.NoError(t, err)
	require.Empty(t, r.Findings)
	require.EqualValues(t, 1, r.Heap.LiveBlocks)
	require.NoError(t, h.Free(huge))
}
