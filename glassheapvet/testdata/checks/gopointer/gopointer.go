package gopointer

import (
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

type plain struct {
	key   uint64
	bytes [16]byte
	next  uintptr
}

type row struct {
	plain
	cells [2]struct{ name string }
}

type node struct {
	next *node
	key  int
}

type generic[T any] struct{ value T }

func made(h *allocator.Heap) {
	_, _ = allocator.Make[row](h, 10)            // want `a gopointer\.row can't live off-heap: gopointer\.row\.cells\[0\]\.name \(string\) is a Go pointer, which the collector would not see`
	_, _ = allocator.Make[string](h, 10)         // want `a string can't live off-heap: string \(string\) is a Go pointer`
	_, _ = allocator.Make[*plain](h, 10)         // want `a \*gopointer\.plain can't live off-heap: \*gopointer\.plain \(\*gopointer\.plain\)`
	_, _ = allocator.Make[node](h, 10)           // want `gopointer\.node\.next \(\*gopointer\.node\)`
	_, _ = allocator.Make[any](h, 10)            // want `a any can't live off-heap`
	_, _ = allocator.Make[generic[[]int]](h, 10) // want `gopointer\.generic\[\[\]int\]\.value \(\[\]int\)`
	_, _ = allocator.Make[unsafe.Pointer](h, 10) // want `unsafe\.Pointer \(unsafe\.Pointer\)`
	var rows []row
	rows, _ = allocator.Make[row](h, 10) //glassheap:ignore
	_ = rows
}

func converted(h *allocator.Heap, s string) {
	p, _ := h.Malloc(100)
	*(*string)(p) = s                            // want `off-heap memory as a string: string \(string\) is a Go pointer, which the collector would not see; keep an index or a copy instead`
	*(**[4]int)(unsafe.Add(p, 16)) = new([4]int) // want `off-heap memory as a \*\[4\]int`
	b, _ := h.Alloc(100)
	r := (*row)(unsafe.Pointer(&b[0])) // want `gopointer\.row\.cells\[0\]\.name \(string\)`
	r.key = 1
	_ = unsafe.Slice((*func())(unsafe.Pointer(unsafe.SliceData(b))), 3) // want `off-heap memory as a func\(\)`
}

func stored(h *allocator.Heap) {
	n, _ := h.Malloc(16)
	linked := (*node)(n)
	linked.next = &node{} // want `an address of Go's memory is stored off-heap, where the collector does not see it`
	p, _ := h.Malloc(16)
	*(*unsafe.Pointer)(p) = unsafe.Pointer(new(plain)) // want `an address of Go's memory is stored off-heap`
}

// Nothing below is a mistake, or nothing tells for certain that it is.

func fine(h *allocator.Heap, c unsafe.Pointer, s string) {
	_, _ = allocator.Make[plain](h, 10)
	_, _ = allocator.Make[generic[int]](h, 10)
	_, _ = allocator.Make[[0]string](h, 10)
	_, _ = allocator.Make[atomic.Int64](h, 10)
	p, _ := h.Malloc(100)
	*(*plain)(p) = plain{}
	*(*uintptr)(p) = uintptr(unsafe.Pointer(new(plain)))
	b, _ := h.Alloc(100)
	copy(b, s)
	_ = *(*string)(unsafe.Pointer(&b)) // the slice's header, which is Go's
	*(*string)(c) = s                  // of whom c is, nobody knows
	words := make([]string, 1)
	*(*string)(unsafe.Pointer(&words[0])) = s
}

func open[T any](h *allocator.Heap) ([]T, error) { return allocator.Make[T](h, 10) }

// links are addresses of other blocks.
func links(h *allocator.Heap) *node {
	first, _ := h.Malloc(16)
	second, _ := h.Malloc(16)
	(*node)(first).next = (*node)(second)
	*(*unsafe.Pointer)(second) = first
	*(**node)(second) = (*node)(first)
	return (*node)(first)
}
