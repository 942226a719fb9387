//go:build !glassheap_portable

package allocator

import "unsafe"

// poisoned reports whether the first bytes of a block, a multiple of 8, are poison.
//
//go:noescape
func poisoned(block unsafe.Pointer, bytes uint32) bool
