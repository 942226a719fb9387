package model

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// alloc asks for a block in one of the ways that there are.
func (p *player) alloc() error {
	n := p.size(p.choices)
	switch p.below(7, "how to allocate") {
	case 0:
		return p.allocSlice(n, 1, "Alloc", p.heap.Alloc)
	case 1:
		return p.allocSlice(n, 1, "AllocZeroed", p.heap.AllocZeroed)
	case 2:
		align := 1 << p.below(21, "log align")
		return p.allocSlice(n, align, "AllocAligned", func(n int) ([]byte, error) { return p.heap.AllocAligned(n, align) })
	case 3:
		count := 1 + p.below(9, "count")
		return p.allocPointer(n/count*count, "Calloc", func(n int) (unsafe.Pointer, error) { return p.heap.Calloc(count, n/count) })
	case 4:
		return makeSlice[triple](p, n/tripleBytes, fromTriples)
	case 5:
		return makeSlice[pair](p, n/pairBytes, fromPairs)
	default:
		return p.allocPointer(n, "Malloc", p.heap.Malloc)
	}
}

// allocSlice asks for n bytes at a multiple of align.
func (p *player) allocSlice(n, align int, name string, alloc func(int) ([]byte, error)) error {
	bytes, err := alloc(n)
	switch {
	case err != nil:
		if bytes != nil {
			return fmt.Errorf("%s(%d) returned a slice and %w", name, n, err)
		}
		return p.refused(n, err)
	case bytes == nil || len(bytes) != n || cap(bytes) != n:
		return fmt.Errorf("%s(%d): length %d, capacity %d", name, n, len(bytes), cap(bytes))
	case n == 0:
		return p.heap.Free(bytes) // no block
	}
	b := &block{start: unsafe.Pointer(unsafe.SliceData(bytes)), size: n, kind: fromAlloc, aligned: align > p.grain(), span: p.isSpan(n, align), stride: p.stride(n, align)}
	if name == "AllocZeroed" {
		if err := b.zeroed(); err != nil {
			return err
		}
	}
	if b.address()%uint64(align) != 0 {
		return fmt.Errorf("%s: no multiple of %d", b, align)
	}
	return p.placed(b)
}

// allocPointer asks for n bytes by address. A block of no bytes is a block all the same.
func (p *player) allocPointer(n int, name string, alloc func(int) (unsafe.Pointer, error)) error {
	start, err := alloc(n)
	if err != nil {
		if start != nil {
			return fmt.Errorf("%s(%d) returned an address and %w", name, n, err)
		}
		return p.refused(n, err)
	}
	b := &block{start: start, size: n, kind: fromMalloc, span: p.isSpan(n, 1), stride: p.stride(n, 1)}
	switch {
	case name == "Calloc":
		if err := b.zeroed(); err != nil {
			return err
		}
	case name == "Malloc" && p.audit && !b.span && !p.isGuarded(b):
		if err := b.filled(layout.FreshByte); err != nil {
			return err
		}
	}
	return p.placed(b)
}

// makeSlice asks for n elements.
func makeSlice[T any](p *player, n int, k kind) error {
	var element T
	elements, err := allocator.Make[T](p.heap, n)
	if err != nil {
		return p.refused(n*int(unsafe.Sizeof(element)), err)
	}
	if len(elements) != n || cap(elements) != n {
		return fmt.Errorf("Make of %d elements: length %d, capacity %d", n, len(elements), cap(elements))
	}
	if n == 0 {
		return allocator.FreeSlice(p.heap, elements)
	}
	b := &block{start: unsafe.Pointer(unsafe.SliceData(elements)), size: n * int(unsafe.Sizeof(element)), kind: k}
	b.span, b.stride = p.isSpan(b.size, 1), p.stride(b.size, 1)
	if err := b.zeroed(); err != nil {
		return err
	}
	return p.placed(b)
}

// placed admits a new block if it lies where it may.
func (p *player) placed(b *block) error {
	if b.address()%p.options.Geometry.Grain() != 0 || (b.span && b.address()%layout.PageBytes != 0 && p.options.GuardRate == 0) {
		return fmt.Errorf("%s is badly aligned", b)
	}
	p.count(b, 1)
	return p.admit(b)
}

func (b *block) zeroed() error { return b.filled(0) }

// filled expects that every byte of the block is this one.
func (b *block) filled(with byte) error {
	if b.size == 0 {
		return nil
	}
	if bytes.Count(b.bytes(), []byte{with}) == b.size {
		return nil // by far quicker than a look at each
	}
	for i, found := range b.bytes() {
		if found != with {
			return fmt.Errorf("%s: the byte at +%d is %#x, should be %#x", b, i, found, with)
		}
	}
	return nil
}

// exhaust asks for blocks of one class until none are left, frees them in another order, and expects the heap to go on.
func (p *player) exhaust() error {
	if !p.tiny || !p.alone {
		return nil // others would be in the way, or it would take too long
	}
	n := int(oneOf(p.choices, "class", p.classes[len(p.classes)/2:]...).Size)
	n = max(512, n-p.below(8, "less"))
	first := len(p.blocks)
	before := p.exhausted.Load()
	for p.exhausted.Load() == before {
		if err := p.allocPointer(n, "Malloc", p.heap.Malloc); err != nil {
			return err
		}
		if len(p.blocks) > first+mostTinyBytes/n+layout.GuardSlots {
			return fmt.Errorf("%d blocks of %d bytes fit into %d bytes", len(p.blocks)-first, n, p.options.ReserveBytes)
		}
	}
	if len(p.blocks) == first {
		return nil
	}
	if err := p.oneIsHad(first, n); err != nil {
		return err
	}
	stride := 1 + p.below(7, "stride")
	for i := first; len(p.blocks) > first+20; i += stride {
		if err := p.release(p.blocks[first+i%(len(p.blocks)-first)]); err != nil {
			return err
		}
	}
	return nil
}

// oneIsHad frees one of the blocks from first on, each of n bytes, and allocates another: nothing else is free.
func (p *player) oneIsHad(first, n int) error {
	if p.audit || p.options.GuardRate > 0 {
		return nil // what is freed is held back, or was not the heap's to have again
	}
	before := p.exhausted.Load()
	// One that is freed is one that can be had.
	if err := p.release(p.blocks[first+p.below(len(p.blocks)-first, "victim")]); err != nil {
		return err
	}
	if err := p.allocPointer(n, "Malloc", p.heap.Malloc); err != nil {
		return err
	}
	if p.exhausted.Load() != before {
		return fmt.Errorf("a block of %d bytes was freed and none can be had", n)
	}
	return nil
}
