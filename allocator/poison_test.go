package allocator

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// TestEveryByteOfPoisonIsLookedAt, whatever the size, and none besides.
func TestEveryByteOfPoisonIsLookedAt(t *testing.T) {
	memory := make([]uint64, 64)
	for size := uint32(8); size <= 320; size += 8 {
		clear(memory)
		block := unsafe.Pointer(&memory[8])
		fillWords(block, size, layout.PoisonWord)
		require.Zero(t, memory[7])
		require.Zero(t, memory[8+size/8])
		require.True(t, poisoned(block, size))
		for i := range size {
			b := (*byte)(unsafe.Add(block, i))
			*b ^= 1 << (i % 8)
			require.False(t, poisoned(block, size), "byte %d of %d", i, size)
			*b ^= 1 << (i % 8)
		}
	}
}
