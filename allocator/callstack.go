//go:build (amd64 || arm64) && !glassheap_portable

package allocator

import "unsafe"

// callStack writes the return addresses of the calling goroutine's frames into addresses, the innermost first, but for the
// first skip, and returns how many. It follows frame pointers, so inlined calls have no address of their own.
//
//go:noescape
func callStack(addresses []uint64, skip int) int

// g is the runtime's struct of the calling goroutine.
func g() unsafe.Pointer
