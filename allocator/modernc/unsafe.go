package memory

import (
	"fmt"
	"unsafe"
)

// UnsafeMalloc returns the address of size bytes, aligned to 16 and not initialised; nil for a size of 0. It panics when the
// size is negative. The error says that the reserve or the system's memory is exhausted, or that GLASSHEAP is wrong.
func (a *Allocator) UnsafeMalloc(size int) (unsafe.Pointer, error) {
	if isNothing(size) {
		return nil, nil
	}
	h, err := a.ready()
	if err != nil {
		return nil, err
	}
	p, err := h.Malloc(size)
	if err == nil {
		a.count(h, 1)
	}
	return p, err
}

// isNothing reports whether no bytes are asked for, and panics when fewer are.
func isNothing(size int) bool {
	if size < 0 {
		panic(fmt.Sprintf("memory: %d bytes were asked for: the size must not be negative", size))
	}
	return size == 0
}

// UnsafeCalloc is UnsafeMalloc with all bytes zero.
func (a *Allocator) UnsafeCalloc(size int) (unsafe.Pointer, error) {
	if isNothing(size) {
		return nil, nil
	}
	h, err := a.ready()
	if err != nil {
		return nil, err
	}
	p, err := h.Calloc(1, size)
	if err == nil {
		a.count(h, 1)
	}
	return p, err
}

// UnsafeRealloc makes the block at p one of size bytes and returns its new address; what both sizes have in common stays. A p
// of nil is UnsafeMalloc, a size of 0 UnsafeFree. When an error comes back, the block is as it was. A violation is reported
// as UnsafeFree does.
func (a *Allocator) UnsafeRealloc(p unsafe.Pointer, size int) (unsafe.Pointer, error) {
	switch {
	case p == nil:
		return a.UnsafeMalloc(size)
	case isNothing(size):
		return nil, a.UnsafeFree(p)
	}
	h, err := a.ready()
	if err != nil {
		return nil, err
	}
	moved, err := h.ReallocPointer(p, size)
	if err == nil {
		a.count(h, 0)
	}
	return moved, err
}

// UnsafeFree gives the block at p back; nil does nothing. The block is verified; a violation runs the policy and comes back as
// an *allocator.Violation, and the block is not freed.
func (a *Allocator) UnsafeFree(p unsafe.Pointer) error {
	if p == nil {
		return nil
	}
	h, err := a.ready() // without a heap it is no block's address either, which a heap will say
	if err != nil {
		return err
	}
	if err := h.FreePointer(p); err != nil {
		return err
	}
	a.count(h, -1)
	return nil
}
