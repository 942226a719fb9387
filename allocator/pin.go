//go:build !glassheap_portable

package allocator

import _ "unsafe" // for linkname

// While a goroutine is pinned it stays on its P and is not preempted: the P's cache is its own. It must not block, panic or
// allocate until it unpins. (sync.Pool works the same way.)

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

// pin returns the index of the cache that is the caller's until unpin.
func pin() int { return procPin() }

func unpin(int) { procUnpin() }

// cachesWanted is how many caches a heap should have ready for this many Ps.
func cachesWanted(procs int) int { return procs }
