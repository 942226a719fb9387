//go:build !(amd64 || arm64) || glassheap_portable

package allocator

import (
	"runtime"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// callStack writes the return addresses of the calling goroutine's frames into addresses, the innermost first, but for the
// first skip, and returns how many.
func callStack(addresses []uint64, skip int) int {
	var all [layout.MaxStackDepth]uintptr
	depth := runtime.Callers(1+skip, all[:len(addresses)])
	for i, a := range all[:depth] {
		addresses[i] = uint64(a)
	}
	return depth
}

// recentCaller knows nobody: to get the frames takes so long that looking them up does not matter.
func recentCaller(*recentCallers, int) (by caller, place uint32) { return caller{}, 0 }

// g is the runtime's struct of the calling goroutine, which can't be had here.
func g() unsafe.Pointer { return nil }
