package offheap

import (
	"math"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// sizeOf is how many bytes a T takes.
func sizeOf[T any]() int {
	var zero T
	return int(unsafe.Sizeof(zero))
}

// bytesFor is how many bytes n elements take. The error is what allocator.Make says of an n that can't be.
func bytesFor[T any](h *allocator.Heap, n int) (int, error) {
	size := sizeOf[T]()
	if n < 0 || size > 0 && n > math.MaxInt/size {
		_, err := allocator.Make[T](h, n)
		return 0, err
	}
	return n * size, nil
}

// overlap reports whether two slices share memory, as far as their capacities reach.
func overlap[T any](a, b []T) bool {
	size := uintptr(sizeOf[T]())
	if cap(a) == 0 || cap(b) == 0 || size == 0 {
		return false
	}
	from, to := uintptr(unsafe.Pointer(unsafe.SliceData(a))), uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return from < to+uintptr(cap(b))*size && to < from+uintptr(cap(a))*size
}
