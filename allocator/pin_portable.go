//go:build glassheap_portable

package allocator

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Without the runtime's pinning a cache is taken by a lock of its own. Goroutines spread over the caches by where their
// stacks lie. The locks are shared by all heaps.

const portableCaches = 64

var cacheLocks [portableCaches]struct {
	taken atomic.Uint32
	_     [60]byte
}

// pin returns the index of the cache that is the caller's until unpin.
func pin() int {
	var here byte
	start := int(uintptr(unsafe.Pointer(&here)) >> 13)
	for try := 0; ; try++ {
		i := (start + try) & (portableCaches - 1)
		if cacheLocks[i].taken.CompareAndSwap(0, 1) {
			return i
		}
		if try&(portableCaches-1) == portableCaches-1 {
			runtime.Gosched()
		}
	}
}

func unpin(i int) { cacheLocks[i].taken.Store(0) }

// cachesWanted is how many caches a heap should have ready for this many Ps.
func cachesWanted(int) int { return portableCaches }
