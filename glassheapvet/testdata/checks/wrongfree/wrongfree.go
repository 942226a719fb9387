package wrongfree

import (
	"testing"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

type pair struct{ first, second int64 }

func resliced(h *allocator.Heap, b []byte, n int) {
	h.Free(b[8:]) // want `h\.Free\(b\[8:\]\): this is not where the block starts: free all of it, as it was returned`
	b = b[1:]
	h.Free(b) // want `not where the block starts`
	b = b[n:]
	h.Free(b) // want `not where the block starts`
}

func consumed(h *allocator.Heap) {
	b, _ := h.Alloc(100)
	for {
		b = b[1:]
		if b[0] == 0 {
			break
		}
	}
	h.Free(b) // want `not where the block starts`
}

func eitherPart(h *allocator.Heap, b []byte, long bool) {
	if long {
		b = b[2:]
	} else {
		b = b[1:]
	}
	h.Free(b) // want `not where the block starts`
}

func pointers(h *allocator.Heap) {
	p, _ := h.Malloc(100)
	h.FreePointer(unsafe.Add(p, 16))                  // want `not where the block starts`
	h.FreePointer(unsafe.Add(p, -16))                 // want `not where the block starts`
	h.FreePointer(unsafe.Pointer(&(*pair)(p).second)) // want `not where the block starts`
	b, _ := h.Alloc(100)
	h.FreePointer(unsafe.Pointer(&b[3]))                // want `not where the block starts`
	_, _ = h.ReallocPointer(unsafe.Pointer(&b[3]), 200) // want `not where the block starts`
	s, _ := allocator.Make[pair](h, 10)
	allocator.FreeSlice(h, s[1:]) // want `not where the block starts`
	defer h.Free(b[1:])           // want `not where the block starts`
}

func capacities(h *allocator.Heap) {
	b, _ := h.Alloc(100)
	h.Free(b[:10:20]) // want `the capacity tells the size, and it is 20 here, where Alloc got 100: free the slice with its whole capacity`
	s, _ := allocator.Make[pair](h, 100)
	allocator.FreeSlice(h, s[:10:10]) // want `it is 10 here, where Make got 100`
	b, _ = h.Realloc(b, 200)
	h.Free(b[:100:100]) // want `it is 100 here, where Realloc got 200`
}

func goMemory(h *allocator.Heap, n int, s string) {
	h.Free(make([]byte, n))                  // want `this is memory of Go: free only what the heap returned`
	h.Free([]byte{1, 2, 3})                  // want `this is memory of Go`
	h.Free([]byte(s))                        // want `this is memory of Go`
	h.FreePointer(unsafe.Pointer(&n))        // want `this is memory of Go`
	h.FreePointer(unsafe.Pointer(new(pair))) // want `this is memory of Go`
	allocator.FreeSlice(h, []int{1})         // want `this is memory of Go`
	var b []byte
	if n > 0 {
		b = make([]byte, n)
	}
	h.Free(b) // want `this is memory of Go`
	b = append([]byte(nil), 'x')
	h.Free(b) // want `this is memory of Go`
}

func appended(h *allocator.Heap) {
	b, _ := h.Alloc(100)
	b = append(b, 'x')
	h.Free(b) // want `append moved the slice to Go's heap, since it was full: Realloc it, write to it, and free that`
	c, _ := h.Alloc(100)
	c = append(c, "text"...)
	h.Free(c) // want `append moved the slice`
	s, _ := allocator.Make[int](h, 10)
	for {
		s = append(s, 1)
		if len(s) > 20 {
			break
		}
	}
	allocator.FreeSlice(h, s) // want `append moved the slice`
}

func ignored(h *allocator.Heap, b []byte) {
	h.Free(b[8:]) //glassheap:ignore
}

// Nothing below is a mistake, or nothing tells for certain that it is.

func whole(h *allocator.Heap, b []byte, n int) {
	h.Free(b[:n])
	h.Free(b[:0])
	h.Free(b[0:])
	h.Free(b[n:])
	h.Free(b[:n:n])
	h.Free(b[:10:20])
	h.Free(nil)
	h.Free([]byte{})
	h.Free(make([]byte, 0))
	h.FreePointer(nil)
}

func wholeOfItsOwn(h *allocator.Heap, n int) {
	b, _ := h.Alloc(100)
	h.Free(b[:10:100])
	c, _ := h.Alloc(n)
	h.Free(c[:10:10])
	d, _ := h.Alloc(0)
	h.Free(d[:0:0])
	s, _ := allocator.Make[struct{}](h, 100)
	allocator.FreeSlice(h, s[1:])
}

func maybeConsumed(h *allocator.Heap, b []byte) {
	for len(b) > 10 {
		b = b[1:]
	}
	h.Free(b)
}

func headers(h *allocator.Heap, p unsafe.Pointer, block *pair) {
	h.FreePointer(unsafe.Add(p, -16))
	h.FreePointer(unsafe.Pointer(&block.second))
	region := unsafe.Slice((*byte)(p), 100)
	h.Free(region[50:60:60])
}

func back(h *allocator.Heap) {
	p, _ := h.Malloc(100)
	behind := unsafe.Add(p, 16)
	h.FreePointer(unsafe.Add(behind, -16))
}

func backStepByStep(h *allocator.Heap) {
	p, _ := h.Malloc(100)
	q := unsafe.Add(p, 32)
	for {
		q = unsafe.Add(q, -8)
		if *(*byte)(q) == 0 {
			break
		}
	}
	h.FreePointer(q)
}

func roomLeft(h *allocator.Heap, b []byte, text string) {
	h.Free(append(b, 'x'))
	c, _ := h.Alloc(100)
	c = append(c[:0], 'x')
	h.Free(c)
	d, _ := h.Alloc(100)
	d = append(d, text...)
	h.Free(d)
	e, _ := h.Alloc(100)
	for range text {
		e = append(e, 'x')
	}
	h.Free(e)
}

func eitherMemory(h *allocator.Heap, off bool) {
	var b []byte
	if off {
		b, _ = h.Alloc(100)
	} else {
		b = make([]byte, 100)
	}
	if off {
		h.Free(b)
	}
}

func refused(t *testing.T, h *allocator.Heap, b []byte) {
	if h.Free(b[8:]) == nil {
		t.Error("it was freed")
	}
}
