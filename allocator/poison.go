package allocator

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// What audit mode writes over a block: FreshByte when it is handed out, PoisonByte when it is freed. Sizes are multiples of 8.

func fillWords(block unsafe.Pointer, bytes uint32, word uint64) {
	words := unsafe.Slice((*uint64)(block), bytes/8)
	for i := range words {
		words[i] = word
	}
}

// poisonDamaged reports whether any of the first bytes of a block is not poison.
func poisonDamaged(block unsafe.Pointer, bytes uint32) bool {
	for _, w := range unsafe.Slice((*uint64)(block), bytes/8) {
		if w != layout.PoisonWord {
			return true
		}
	}
	return false
}
