package useafterfree

import (
	"errors"
	"fmt"
	"log"
	"testing"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// Nothing here is a mistake, or nothing tells for certain that it is.

func lengths(h *allocator.Heap, b []byte) (int, bool) {
	h.Free(b)
	return len(b) + cap(b), b == nil
}

func anew(h *allocator.Heap, b []byte) byte {
	h.Free(b)
	b, _ = h.Alloc(8)
	return b[0]
}

func anewInALoop(h *allocator.Heap) {
	b, _ := h.Alloc(8)
	for n := range 10 {
		b[0] = byte(n)
		h.Free(b)
		b, _ = h.Alloc(n)
	}
	h.Free(b)
}

func inEachTurn(h *allocator.Heap) {
	for range 10 {
		b, _ := h.Alloc(8)
		b[0] = 1
		h.Free(b)
	}
}

func each(h *allocator.Heap, blocks [][]byte) {
	for _, b := range blocks {
		b[0] = 1
		h.Free(b)
	}
	for i := range blocks {
		h.Free(blocks[i])
	}
}

func nilBehind(h *allocator.Heap, b []byte, early bool) {
	if early {
		h.Free(b)
		b = nil
	}
	h.Free(b)
}

func otherwise(h *allocator.Heap, b []byte, early bool) byte {
	if early {
		h.Free(b)
	} else {
		b[0] = 1
	}
	return 0
}

func sameCondition(h *allocator.Heap, b []byte, early bool) byte {
	if early {
		h.Free(b)
	}
	fmt.Println("between")
	if early {
		return 0
	}
	return b[0]
}

func aFlag(h *allocator.Heap, b []byte, blocks [][]byte) {
	freed := false
	for _, other := range blocks {
		if len(other) == len(b) {
			h.Free(b)
			freed = true
		}
	}
	if !freed {
		h.Free(b)
	}
}

func untilDone(h *allocator.Heap, b []byte) {
	for done := false; !done; done = true {
		b[0] = 1
		h.Free(b)
	}
}

func once(h *allocator.Heap, b []byte) {
	for range 1 {
		if len(global) > 0 {
			keep(nil)
		}
		h.Free(b)
	}
}

func triesAgain(h *allocator.Heap, c []byte) {
	for {
		h.Free(c)
		if len(global) > 5 {
			break
		}
	}
}

func tries(h *allocator.Heap, b []byte) {
	for range 3 {
		if h.Free(b) == nil {
			return
		}
	}
}

func theMatchingOne(h *allocator.Heap, b []byte, keys []int) {
	for _, k := range keys {
		if k == 7 {
			h.Free(b)
		}
	}
}

func failed(h *allocator.Heap, b []byte) ([]byte, error) {
	if err := h.Free(b); err != nil {
		b[0] = 1
		return b, err
	}
	return nil, nil
}

func failedViolation(h *allocator.Heap, b []byte) {
	var v *allocator.Violation
	if err := h.Free(b); errors.As(err, &v) {
		fmt.Println(b)
	}
}

func died(h *allocator.Heap, b []byte, full bool) {
	if full {
		h.Free(b)
		log.Fatal("full")
	}
	b[0] = 1
}

func diedInATest(t *testing.T, h *allocator.Heap, b []byte, full bool) {
	if full {
		h.Free(b)
		t.Fatal("full")
	}
	b[0] = 1
}

func withAnError(h *allocator.Heap, n int) ([]byte, error) {
	b, err := h.Alloc(n)
	if err == nil {
		err = fill(b)
	}
	if err != nil {
		h.Free(b)
	}
	return b, err
}

func fill([]byte) error { return nil }

func withAnErrorOfItsOwn(h *allocator.Heap, b []byte) ([]byte, error) {
	if len(b) > 10 {
		h.Free(b)
		return b, fmt.Errorf("%d bytes are too many", len(b))
	}
	if err := fill(b); err != nil {
		h.Free(b)
		return b, err
	}
	return b, nil
}

func deferred(h *allocator.Heap) byte {
	b, _ := h.Alloc(8)
	defer h.Free(b)
	b[0] = 1
	return b[0]
}

func deferredLiteral(h *allocator.Heap) {
	b, _ := h.Alloc(8)
	defer func() { h.Free(b) }()
	b, _ = h.Realloc(b, 100)
	b[0] = 1
}

func deferredInALoop(h *allocator.Heap) {
	for range 10 {
		b, _ := h.Alloc(8)
		defer h.Free(b)
	}
}

func deferredButReplaced(h *allocator.Heap, b []byte) {
	defer h.Free(b)
	b, _ = h.Alloc(8)
	h.Free(b)
}

func ofAGoroutine(h *allocator.Heap, b []byte) {
	go h.Free(b)
	fmt.Println(len(b))
}

func grown(h *allocator.Heap, b []byte) []byte {
	bigger, err := h.Realloc(b, 100)
	if err != nil {
		h.Free(b)
		return nil
	}
	b = bigger
	return b
}

func fields(s *session) {
	s.heap.Free(s.input)
	s.heap.Free(s.output)
	s.input, s.output = nil, nil
	s.heap.Free(s.input)
}

func fieldSetElsewhere(s *session) {
	s.heap.Free(s.input)
	s.renew()
	s.input[0] = 1
	s.heap.Free(s.input)
}

func (s *session) renew() { s.input, _ = s.heap.Alloc(8) }

func fieldSetPerhaps(s *session, b []byte, more bool) {
	s.heap.Free(s.input)
	if more {
		s.input = b
	}
	s.heap.Free(s.input)
}

func fieldSetOtherwise(s *session, b []byte, more bool) {
	s.heap.Free(s.input)
	if more {
		count++
	} else {
		s.input = b
	}
	s.heap.Free(s.input)
}

func fieldOfAnother(s, t *session) {
	s.heap.Free(s.input)
	t.heap.Free(t.input)
	t.input = nil
	s.heap.Free(s.input) // of t, if s is t
}

func capturedAndSet(h *allocator.Heap) {
	b, _ := h.Alloc(8)
	renew := func() { b, _ = h.Alloc(8) }
	h.Free(b)
	renew()
	b[0] = 1
	h.Free(b)
}

func nextBeforeFree(h *allocator.Heap, n *node) {
	for n != nil {
		next := n.next
		h.FreePointer(unsafe.Pointer(n))
		n = next
	}
}

func addresses(h *allocator.Heap, b []byte, p unsafe.Pointer) bool {
	h.Free(b)
	h.FreePointer(p)
	again, _ := h.Malloc(8)
	fmt.Println(unsafe.SliceData(b))
	fmt.Printf("%p %d\n", p, uintptr(unsafe.Pointer(unsafe.SliceData(b))))
	return again == p || again == unsafe.Pointer(&b[0]) || address(b) == 0 || pointer(b) == p
}

func address(b []byte) uintptr        { return uintptr(pointer(b)) }
func pointer(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func differentBlocks(h *allocator.Heap, first unsafe.Pointer) {
	h.FreePointer(unsafe.Add(first, 0))
	h.FreePointer(unsafe.Add(first, 64))
	h.FreePointer(unsafe.Add(first, 128))
}

func never(h *allocator.Heap, b []byte) {
	_, _ = h.Realloc(b, -1)
	b[0] = 1
}

func withoutASize(h *allocator.Heap) {
	s, _ := allocator.Make[struct{}](h, 10)
	allocator.FreeSlice(h, s)
	allocator.FreeSlice(h, s)
}

func furtherOn(h *allocator.Heap, p unsafe.Pointer, n int) {
	q := p
	for i := 0; i < n; i++ {
		q = unsafe.Add(q, 64)
	}
	h.FreePointer(p)
	h.FreePointer(q)
}

func again(h *allocator.Heap, full func() bool) {
	for {
		b, _ := h.Alloc(8)
		b[0] = 1
		if full() {
			h.Free(b)
			continue
		}
		keep(b)
	}
}

func complained(t *testing.T, h *allocator.Heap, b []byte) {
	_, err := h.Realloc(b, 1<<50)
	if err == nil {
		t.Error("it was granted")
	}
	b[0] = 1
	if err := h.Free(b[:4:4]); err == nil {
		panic("it was freed")
	}
	b[0] = 1
}

var count int

type unrelated struct{}

func (unrelated) Free([]byte) error { return nil }

func anotherFree(u unrelated, b []byte) {
	u.Free(b)
	b[0] = 1
	u.Free(b)
}
