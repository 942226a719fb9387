//go:build (amd64 || arm64) && !glassheap_portable

package allocator

import "unsafe"

// callStack writes the return addresses of the calling goroutine's frames into addresses, the innermost first, but for the
// first skip, and returns how many. It follows frame pointers, so inlined calls have no address of their own.
//
//go:noescape
func callStack(addresses []uint64, skip int) int

// recentCaller is what whoCalls tells, when it is the same stack as came from the same place last: the frames are compared with
// what is kept of that while they are walked. Else by.stack is 0. place is the place's index in recent.byPlace. The frames that
// are skipped are those of Go functions, at least two.
//
//go:noescape
func recentCaller(recent *recentCallers, skip int) (by caller, place uint32)

// g is the runtime's struct of the calling goroutine.
func g() unsafe.Pointer
