//go:build !amd64 || glassheap_portable

package allocator

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// poisoned reports whether the first bytes of a block are poison.
func poisoned(block unsafe.Pointer, bytes uint32) bool {
	wrong := uint64(0)
	for _, w := range unsafe.Slice((*uint64)(block), bytes/8) {
		wrong |= w ^ layout.PoisonWord
	}
	return wrong == 0
}
