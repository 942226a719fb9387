package memory

import "unsafe"

// address is p as a pointer. Off-heap memory never moves, and it is no concern of the collector: a number is as good.
func address(p uintptr) unsafe.Pointer { return unsafe.Add(nil, p) }

// UintptrMalloc is UnsafeMalloc for an address that is a number; 0 is nil.
func (a *Allocator) UintptrMalloc(size int) (uintptr, error) {
	p, err := a.UnsafeMalloc(size)
	return uintptr(p), err
}

// UintptrCalloc is UnsafeCalloc for an address that is a number; 0 is nil.
func (a *Allocator) UintptrCalloc(size int) (uintptr, error) {
	p, err := a.UnsafeCalloc(size)
	return uintptr(p), err
}

// UintptrRealloc is UnsafeRealloc for addresses that are numbers; 0 is nil.
func (a *Allocator) UintptrRealloc(p uintptr, size int) (uintptr, error) {
	moved, err := a.UnsafeRealloc(address(p), size)
	return uintptr(moved), err
}

// UintptrFree is UnsafeFree for an address that is a number; 0 does nothing.
func (a *Allocator) UintptrFree(p uintptr) error { return a.UnsafeFree(address(p)) }
