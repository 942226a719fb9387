package offheap

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// Vec is a slice off the Go heap that grows, in one block of its heap. Make one with NewVec; it must be freed. It is not safe for
// concurrent use.
//
// A Vec that grows beyond its capacity moves, as a slice does, but the old block is freed at once: slices of it that Slice or Extend
// returned, and pointers into them, must not be used after a call of Append, AppendSlice, Extend or Grow that had to grow. In audit mode
// a write through them is told as a write after free. Grow before, to be sure that nothing moves.
//
// In audit mode the block is shown as allocated by whoever made it grow last.
type Vec[T any] struct {
	_        noCopy
	heap     *allocator.Heap // nil: it was freed
	elements []T             // the capacity is the block's
	claim    *claim
}

// NewVec makes an empty Vec with room for so many elements; 0: its first block comes with the first element. A T that contains Go
// pointers is refused as by allocator.Make, whose errors these are.
func NewVec[T any](h *allocator.Heap, capacity int, options ...Option) (*Vec[T], error) {
	elements, err := allocator.Make[T](h, capacity)
	if err != nil {
		return nil, err
	}
	v := &Vec[T]{heap: h, elements: elements[:0]}
	if report := reportOf(options); report != nil {
		v.claim = stake(v, v.name(), cap(elements)*sizeOf[T](), nil, report)
	}
	return v, nil
}

func (v *Vec[T]) name() string { return "Vec[" + reflect.TypeFor[T]().String() + "]" }

// must panics if the Vec was freed.
func (v *Vec[T]) must(call string) {
	if v.heap == nil {
		panic(freed(call, v.name()))
	}
}

// Append adds an element. With an error, of the heap, the Vec stays as it was.
func (v *Vec[T]) Append(element T) error {
	if len(v.elements) == cap(v.elements) { // so it is after Free
		if err := v.grow("Append", 1); err != nil {
			return err
		}
	}
	v.elements = append(v.elements, element)
	return nil
}

// AppendSlice adds copies of elements, which may be the Vec's own. With an error, of the heap, the Vec stays as it was.
func (v *Vec[T]) AppendSlice(elements []T) error {
	if len(elements) > cap(v.elements)-len(v.elements) || v.heap == nil {
		if overlap(v.elements, elements) {
			elements = slices.Clone(elements) // their block is about to be freed
		}
		if err := v.grow("AppendSlice", len(elements)); err != nil {
			return err
		}
	}
	v.elements = append(v.elements, elements...)
	return nil
}

// Extend adds n zeroed elements and returns them, to be filled in place. With an error, of the heap or because n is negative, the
// Vec stays as it was.
func (v *Vec[T]) Extend(n int) ([]T, error) {
	if n < 0 || n > cap(v.elements)-len(v.elements) || v.heap == nil {
		if err := v.grow("Extend", n); err != nil {
			return nil, err
		}
	}
	from := len(v.elements)
	v.elements = v.elements[:from+n]
	added := v.elements[from : from+n : from+n]
	clear(added)
	return added, nil
}

// Grow sees to it that n more elements have room: the next n move nothing. With an error, of the heap or because n is negative, the
// Vec stays as it was.
func (v *Vec[T]) Grow(n int) error {
	if n >= 0 && n <= cap(v.elements)-len(v.elements) && v.heap != nil {
		return nil
	}
	return v.grow("Grow", n)
}

// grow makes room for n more elements, and for some that come later, so that each element is moved about once.
func (v *Vec[T]) grow(call string, n int) error {
	if v.heap == nil {
		return freed(call, v.name())
	}
	if n < 0 {
		_, err := bytesFor[T](v.heap, n)
		return err
	}
	if sizeOf[T]() == 0 {
		v.elements = slices.Grow(v.elements, n) // no memory is needed
		return nil
	}
	capacity := math.MaxInt // which is refused
	if need := len(v.elements) + n; need > 0 {
		capacity = max(need, roomier(cap(v.elements), sizeOf[T]()))
	}
	bytes, err := bytesFor[T](v.heap, capacity)
	if err != nil {
		return err
	}
	block, err := v.heap.Realloc(v.block(), bytes)
	if err != nil {
		return err
	}
	v.elements = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(block))), capacity)[:len(v.elements)]
	v.claim.holds(bytes)
	return nil
}

// roomier is to how many elements of a size a capacity grows: the first block has 64 bytes or one element, small ones double, large
// ones grow by half.
func roomier(capacity, size int) int {
	if capacity*size < 256<<10 {
		return max(2*capacity, 64/size, 1)
	}
	return capacity + capacity/2
}

// block is the Vec's block as the heap knows it.
func (v *Vec[T]) block() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v.elements))), cap(v.elements)*sizeOf[T]())
}

// Len is how many elements there are. It panics with ErrFreed after Free, as Cap, Slice and Truncate do.
func (v *Vec[T]) Len() int {
	v.must("Len")
	return len(v.elements)
}

// Cap is for how many elements there is room.
func (v *Vec[T]) Cap() int {
	v.must("Cap")
	return cap(v.elements)
}

// Slice is the elements, where they lie: a change of one changes the Vec. It is valid until the Vec grows beyond its capacity or is
// freed. Its capacity is its length, so append to it copies it into the Go heap.
func (v *Vec[T]) Slice() []T {
	v.must("Slice")
	return v.elements[:len(v.elements):len(v.elements)]
}

// Truncate leaves the first n elements; the capacity stays. It panics when n is negative or there are fewer elements.
func (v *Vec[T]) Truncate(n int) {
	v.must("Truncate")
	if n < 0 || n > len(v.elements) {
		panic(fmt.Errorf("offheap: Truncate of a %s of %d elements to %d", v.name(), len(v.elements), n))
	}
	v.elements = v.elements[:n]
}

// Free gives the block back. A second Free returns ErrFreed. A violation is as in Heap.Free; then the block is not freed, but the Vec
// can't be used any more all the same.
func (v *Vec[T]) Free() error {
	if v.heap == nil {
		return freed("Free", v.name())
	}
	v.claim.end()
	err := v.heap.Free(v.block())
	v.heap, v.elements = nil, nil
	runtime.KeepAlive(v)
	return err
}
