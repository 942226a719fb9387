package memory

import (
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// UnsafeUsableSize is how many bytes may be written at p, the address of a live block of any Allocator: those that were asked
// for, because the bytes behind are watched; in plain mode all that the block holds. For nil it is 0. For an address that is
// no live block's the policy runs, and if that goes on, it is 0.
func UnsafeUsableSize(p unsafe.Pointer) int {
	if p == nil {
		return 0
	}
	h := allocator.HeapAt(p)
	if h == nil {
		panic(fmt.Sprintf("memory: the usable size of %#x was asked for, which lies in no Allocator's memory", uintptr(p)))
	}
	size, _ := h.UsableSize(p) // the error was told by the policy
	return size
}

// UintptrUsableSize is UnsafeUsableSize for an address that is a number.
func UintptrUsableSize(p uintptr) int { return UnsafeUsableSize(address(p)) }

// UsableSize is UnsafeUsableSize for the first byte of a slice from Malloc, Calloc or Realloc.
func UsableSize(p *byte) int { return UnsafeUsableSize(unsafe.Pointer(p)) }
