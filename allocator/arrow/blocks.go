package glassheaparrow

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// alignment of every block in bytes, as Arrow's format recommends and memory.GoAllocator does.
const alignment = 64

// Allocate returns size bytes, all zero, at a multiple of 64 bytes; length and capacity are size. For a size of 0 the slice is
// empty, not nil, and no block. It panics when size is negative, and with the heap's error when there is no memory.
func (a *Allocator) Allocate(size int) []byte {
	b := a.allocate(size)
	clear(b)
	return b
}

// allocate is Allocate without zeros.
func (a *Allocator) allocate(size int) []byte {
	if size < 0 {
		panic(fmt.Errorf("glassheaparrow: %d bytes were asked for: the size must not be negative", size))
	}
	if size == 0 {
		return []byte{}
	}
	b, err := a.mustHeap().AllocAligned(size, alignment)
	if err != nil {
		panic(err)
	}
	return b
}

// Reallocate returns size bytes that begin with those of b, at a multiple of 64 bytes; the length is size. b is a slice from
// Allocate or Reallocate, or one without capacity, and is not valid afterwards. As with memory.GoAllocator, bytes of b's
// capacity behind its length appear when the capacity suffices; when it does not, what is behind its length is zero. A size of
// 0 frees b. Panics are those of Allocate.
//
// A violation runs the heap's policy. When that goes on, the slice returned is a new block, which begins with the bytes at b
// unless they may not be there any more, and b is left alone.
func (a *Allocator) Reallocate(size int, b []byte) []byte {
	switch {
	case cap(b) == 0 || size < 0:
		return a.Allocate(size)
	case size == 0:
		_ = a.free(b) // the policy told the error
		return []byte{}
	}
	h := a.mustHeap()
	if h.Mode() != allocator.ModeAudit && size <= cap(b) && size > cap(b)/2 {
		return b[:size] // a copy would cost more than the memory is worth
	}
	kept := b
	if size <= cap(b) {
		kept = b[:size]
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	_, bad := h.UsableSize(p) // before it is read: pages of what is freed may be inaccessible
	if bad != nil && allocator.HeapAt(p) != nil && !damaged(bad) {
		kept = nil
	}
	moved := a.allocate(size)
	clear(moved[copy(moved, kept):])
	if bad == nil {
		_ = a.free(b) // the policy told the error
	}
	return moved
}

// damaged reports whether a violation is about a block that is live.
func damaged(err error) bool {
	v := (*allocator.Violation)(nil)
	return errors.As(err, &v) && (v.Kind == allocator.Overflow || v.Kind == allocator.Underflow)
}

// Free gives back the block of b: a slice from Allocate or Reallocate, or a re-slice that begins at the same byte and keeps its
// capacity. A slice without capacity does nothing. The block is verified; a violation runs the heap's policy, and the block is
// then not freed.
func (a *Allocator) Free(b []byte) { _ = a.free(b) } // the policy told the error

func (a *Allocator) free(b []byte) error {
	if cap(b) == 0 {
		return nil
	}
	return a.mustHeap().Free(b) // without a heap it is no block either, which a heap will say
}
