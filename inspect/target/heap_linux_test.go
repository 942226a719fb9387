package target

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// headerOf is the header of a heap of this process, to damage it. A block's address leads to it.
func headerOf(t testing.TB, h *allocator.Heap) []byte {
	t.Helper()
	p, err := h.Malloc(8)
	require.NoError(t, err)
	base, _ := h.Range()
	header := unsafe.Add(p, -int(uint64(uintptr(p))-base))
	require.NoError(t, h.FreePointer(p))
	return unsafe.Slice((*byte)(header), layout.HeaderBytes)
}
