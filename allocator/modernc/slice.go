package memory

import "unsafe"

// Malloc returns size bytes as a slice, aligned to 16 and not initialised; nil for a size of 0. It panics when the size is
// negative. Errors are those of UnsafeMalloc.
func (a *Allocator) Malloc(size int) ([]byte, error) {
	p, err := a.UnsafeMalloc(size)
	return slice(p, size), err
}

// Calloc is Malloc with all bytes zero.
func (a *Allocator) Calloc(size int) ([]byte, error) {
	p, err := a.UnsafeCalloc(size)
	return slice(p, size), err
}

// Realloc makes the block of b one of size bytes; what both sizes have in common stays. b is a slice from Malloc, Calloc or
// Realloc, or a re-slice that begins at the same byte, and is not valid afterwards. A b of no capacity is Malloc, a size of 0
// Free. When an error comes back, the block is as it was.
func (a *Allocator) Realloc(b []byte, size int) ([]byte, error) {
	p, err := a.UnsafeRealloc(start(b), size)
	return slice(p, size), err
}

// Free gives the block of b back: a slice from Malloc, Calloc or Realloc, or a re-slice that begins at the same byte. A slice
// of no capacity does nothing. Violations are those of UnsafeFree.
func (a *Allocator) Free(b []byte) error { return a.UnsafeFree(start(b)) }

// start is where the block of b begins; nil when b has none.
func start(b []byte) unsafe.Pointer {
	if cap(b) == 0 {
		return nil
	}
	return unsafe.Pointer(unsafe.SliceData(b))
}

func slice(p unsafe.Pointer, size int) []byte {
	if p == nil {
		return nil
	}
	return unsafe.Slice((*byte)(p), size)
}
