package main

import (
	"errors"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/arrow"
)

// requestMemory is the memory.Allocator of one request. Arrow's interface has no place for the error that there is no more memory,
// and what glassheaparrow makes of it, a panic, nobody could recover everywhere: package compute allocates in goroutines of its own.
// Nor would anybody give back what Arrow held at that moment. So at the heap's limit Go's memory is lent, and the error kept: whoever
// runs the request asks for it after each step.
type requestMemory struct {
	heap *glassheaparrow.Allocator
	lent memory.GoAllocator
	none atomic.Pointer[noMemory] // the first
}

// noMemory says that a request needed more than there is.
type noMemory struct{ error }

// Unwrap is what the heap said: an *allocator.LimitError, say.
func (e *noMemory) Unwrap() error { return e.error }

// err is a *noMemory once memory was lent.
func (m *requestMemory) err() error {
	if none := m.none.Load(); none != nil {
		return none
	}
	return nil
}

// Allocate is what the heap's Allocate does, but at the limit.
func (m *requestMemory) Allocate(size int) []byte {
	b, none := granted(func() []byte { return m.heap.Allocate(size) })
	if none != nil {
		m.none.CompareAndSwap(nil, none)
		return m.lent.Allocate(size)
	}
	return b
}

// Reallocate is what the heap's Reallocate does, but at the limit, or with what was lent.
func (m *requestMemory) Reallocate(size int, b []byte) []byte {
	if m.isLent(b) {
		return m.lent.Reallocate(size, b)
	}
	moved, none := granted(func() []byte { return m.heap.Reallocate(size, b) })
	if none != nil { // and b is as it was
		m.none.CompareAndSwap(nil, none)
		moved = m.lent.Allocate(size)
		copy(moved, b)
		m.heap.Free(b)
	}
	return moved
}

// Free gives a block back. What was lent the collector takes.
func (m *requestMemory) Free(b []byte) {
	if !m.isLent(b) {
		m.heap.Free(b)
	}
}

// isLent reports whether a slice is in no heap though it could have been. As long as nothing was lent it is not even asked: it may
// be a slice that no allocator made, and that the heap has to say.
func (m *requestMemory) isLent(b []byte) bool {
	return m.none.Load() != nil && cap(b) > 0 && allocator.HeapAt(unsafe.Pointer(unsafe.SliceData(b))) == nil
}

// granted runs f, which panics with the heap's error when there is no memory. Any other panic is a bug and stays one.
func granted(f func() []byte) (b []byte, none *noMemory) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		var limit *allocator.LimitError
		var exhausted *allocator.ExhaustedError
		var system syscall.Errno
		err, _ := r.(error)
		if !errors.As(err, &limit) && !errors.As(err, &exhausted) && !errors.As(err, &system) {
			panic(r)
		}
		none = &noMemory{err}
	}()
	return f(), nil
}
