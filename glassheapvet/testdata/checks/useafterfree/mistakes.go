package useafterfree

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

type node struct {
	next *node
	key  int
}

type session struct {
	heap          *allocator.Heap
	input, output []byte
}

func use([]byte)           {}
func kept(b []byte) []byte { return b }
func keep(b []byte)        { global = b }

var global []byte

func read(h *allocator.Heap) byte {
	b, _ := h.Alloc(8)
	h.Free(b)
	return b[0] // want `b is read after h\.Free\(b\) in line 29: free it last`
}

func write(h *allocator.Heap, b []byte) {
	h.Free(b)
	b[0] = 1 // want `b is written after h\.Free\(b\) in line 34: free it last`
}

func passed(h *allocator.Heap, b []byte) {
	if err := h.Free(b); err != nil {
		return
	}
	keep(b) // want `b is passed after`
}

func printed(h *allocator.Heap, b []byte) {
	h.Free(b)
	fmt.Println(b) // want `b is passed after`
}

func copied(h *allocator.Heap, b []byte) {
	h.Free(b)
	copy(b, "late")       // want `b is used after`
	clear(b)              // want `b is used after`
	global = append(b, 1) // want `b is used after`
}

func text(h *allocator.Heap, b []byte) string {
	h.Free(b)
	return string(b) // want `b is read after`
}

func returned(h *allocator.Heap, b []byte) []byte {
	h.Free(b)
	return b // want `b is returned after`
}

func returnedWithTheError(h *allocator.Heap, b []byte) ([]byte, error) {
	return b, h.Free(b) // want `b is returned after`
}

func sent(h *allocator.Heap, b []byte, to chan []byte) {
	h.Free(b)
	to <- b // want `b is sent after`
}

func ranged(h *allocator.Heap, b []byte) (sum int) {
	h.Free(b)
	for _, c := range b { // want `b is read after`
		sum += int(c)
	}
	return sum
}

func part(h *allocator.Heap, b []byte) byte {
	head := b[4:8]
	h.Free(b)
	return head[0] // want `b is read after`
}

func aString(h *allocator.Heap, b []byte) string {
	s := unsafe.String(unsafe.SliceData(b), len(b))
	h.Free(b)
	return s // want `b is returned after`
}

func list(h *allocator.Heap, first *node) {
	for n := first; n != nil; n = n.next { // want `unsafe\.Pointer\(n\) is read after h\.FreePointer`
		h.FreePointer(unsafe.Pointer(n))
	}
}

func elements(h *allocator.Heap) int {
	s, _ := allocator.Make[int](h, 10)
	allocator.FreeSlice(h, s)
	return s[3] // want `s is read after allocator\.FreeSlice\(h, s\) in line 104`
}

func offset(h *allocator.Heap) byte {
	p, _ := h.Malloc(8)
	h.FreePointer(p)
	return *(*byte)(unsafe.Add(p, 3)) // want `p is read after`
}

func twice(h *allocator.Heap, b []byte) {
	h.Free(b)
	h.Free(b) // want `b is freed again after h\.Free\(b\) in line 115: free it once`
}

func twiceByPart(h *allocator.Heap, b []byte) {
	h.Free(b[:4])
	h.Free(b) // want `b is freed again after`
}

func twiceByField(s *session) {
	s.heap.Free(s.input)
	s.heap.Free(s.input) // want `s\.input is freed again after s\.heap\.Free\(s\.input\)`
}

func twiceByEitherWay(h *allocator.Heap, b []byte, early bool) {
	if early {
		h.Free(b)
	} else {
		h.Free(b[:1])
	}
	h.Free(b) // want `b is freed again after`
}

func twiceIfEarly(h *allocator.Heap, b []byte, early bool) {
	if early {
		h.Free(b)
	}
	h.Free(b) // want `b is freed again after`
}

func usedIfEarly(h *allocator.Heap, b []byte, early bool) {
	if early {
		if err := h.Free(b); err != nil {
			return
		}
	}
	for len(global) > 0 {
		global = global[1:]
	}
	b[0] = 1 // want `b is written after`
}

func onAnError(h *allocator.Heap, n int) ([]byte, error) {
	b, err := h.Alloc(n)
	if err != nil {
		return nil, err
	}
	if n > 10 {
		h.Free(b)
		err = errors.New("too many")
		fmt.Println(len(b), b[0]) // want `b is read after`
	}
	return b, err
}

func deferredToo(h *allocator.Heap) error {
	b, err := h.Alloc(8)
	if err != nil {
		return err
	}
	defer h.Free(b)
	return h.Free(b) // want `Free gives back what the deferred h\.Free\(b\) in line 175 frees again: free it once`
}

func deferredTwice(h *allocator.Heap, b []byte) {
	h.Free(b)
	defer h.Free(b) // want `b is freed again after`
}

func deferredAndReturned(h *allocator.Heap) ([]byte, error) {
	b, err := h.Alloc(8)
	if err != nil {
		return nil, err
	}
	defer h.Free(b)
	return b[:4], nil // want `b is returned, but the deferred h\.Free\(b\) in line 189 frees it first: leave that to the caller`
}

func deferredAndReallocated(h *allocator.Heap) {
	b, _ := h.Alloc(8)
	defer h.Free(b)
	b, _ = h.Realloc(b, 16) // want `Realloc gives back what the deferred h\.Free\(b\) in line 195 frees again`
	use(b)
}

func reallocated(h *allocator.Heap, b []byte) byte {
	bigger, err := h.Realloc(b, 100)
	if err != nil {
		return b[0]
	}
	b[0] = 1 // want `b is written after h\.Realloc\(b, 100\) in line 201: use what Realloc returned`
	return bigger[0]
}

func reallocatedAndFreed(h *allocator.Heap, b []byte) {
	bigger, _ := h.Realloc(b, 100)
	h.Free(b) // want `b is freed after h\.Realloc\(b, 100\) in line 210: use what Realloc returned`
	h.Free(bigger)
}

func freedAndReallocated(h *allocator.Heap, b []byte) ([]byte, error) {
	h.Free(b)
	return h.Realloc(b, 100) // want `b is reallocated after h\.Free\(b\)`
}

func everyTurn(h *allocator.Heap, b []byte, n int) {
	for range n {
		b[0]++    // want `b is read after` `b is written after`
		h.Free(b) // want `b is freed again in the loop's next turn: free it behind the loop, or allocate it in each turn`
	}
}

func captured(h *allocator.Heap) func() {
	b, _ := h.Alloc(8)
	h.Free(b)
	keep(nil)
	b[1] = 1 // want `b is written after`
	return func() { fmt.Println(len(b)) }
}

func inALiteral(h *allocator.Heap, b []byte) func() {
	return func() {
		h.Free(b)
		h.Free(b) // want `b is freed again after`
	}
}

func generic[T any](h *allocator.Heap, s []T) T {
	allocator.FreeSlice(h, s)
	return s[0] // want `s is read after`
}

func ignored(h *allocator.Heap, b []byte) {
	h.Free(b)
	b[0] = 1 //glassheap:ignore the test wants it so
	b[1] = 1 //glassheap:ignored is another word // want `b is written after`
}

func either(h *allocator.Heap, a, b []byte, first bool) byte {
	gone := a
	if first {
		h.Free(a)
	} else {
		h.Free(b)
		gone = b
	}
	return gone[0] // want `a is read after`
}

func reallocatedInPart(h *allocator.Heap, b []byte, n int) {
	for b[0] != 0 { // want `b is read after h\.Realloc`
		if _, err := h.Realloc(b, n); err != nil {
			return
		}
	}
}

func everyTurnOfSeveralBlocks(h *allocator.Heap, b []byte, n int) {
	for range n {
		if len(global) > 0 {
			keep(nil)
		}
		h.Free(b) // want `b is freed again in the loop's next turn`
	}
}

func everyTurnOfAnOldLoop(h *allocator.Heap, b []byte, n int) {
	for i := 0; i < n; i++ {
		if len(global) > 0 {
			keep(nil)
		}
		h.Free(b) // want `b is freed again in the loop's next turn`
	}
}
