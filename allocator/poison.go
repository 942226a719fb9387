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

// poisonDamage is the offset of the first byte below bytes that is not poison, and how many from there on to the last.
func poisonDamage(block unsafe.Pointer, bytes uint32) (first, count uint32, damaged bool) {
	words := unsafe.Slice((*uint64)(block), bytes/8)
	for i, w := range words {
		if w != layout.PoisonWord {
			return damagedRange(unsafe.Slice((*byte)(block), bytes), i*8)
		}
	}
	return 0, 0, false
}

func damagedRange(b []byte, from int) (first, count uint32, damaged bool) {
	last := len(b) - 1
	for b[from] == layout.PoisonByte {
		from++
	}
	for b[last] == layout.PoisonByte {
		last--
	}
	return uint32(from), uint32(last - from + 1), true
}
