package allocator

import (
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
