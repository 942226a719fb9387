package offheap

import (
	"runtime"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator"
)

// Handle is a block whose loss is told: while the Handle is reachable, somebody can free the block. Its methods are safe for
// concurrent use.
type Handle struct {
	_     noCopy
	heap  *allocator.Heap
	block []byte
	freed atomic.Bool
	claim *claim
}

// NewHandle puts a block, that Alloc or Realloc of h returned, into a Handle, which frees it from now on. report is called as
// ReportLost says; the bytes that it tells are the block's. nil: nobody wants to know.
func NewHandle(h *allocator.Heap, block []byte, report ReportLost) *Handle {
	handle := &Handle{heap: h, block: block}
	handle.claim = stake(handle, "Handle", cap(block), nil, report)
	return handle
}

// Bytes is the block. It panics with ErrFreed after Free. The slice does not keep the Handle reachable.
func (h *Handle) Bytes() []byte {
	if h.freed.Load() {
		panic(freed("Bytes", "Handle"))
	}
	return h.block
}

// Free gives the block back. Of several calls, at the same time too, one does; the others return ErrFreed. A violation is as in
// Heap.Free; then the block is not freed, but neither reported as lost.
func (h *Handle) Free() error {
	if h.freed.Swap(true) {
		return freed("Free", "Handle")
	}
	h.claim.end()
	err := h.heap.Free(h.block)
	runtime.KeepAlive(h)
	return err
}
