package model

import (
	"fmt"
	"unsafe"
)

// realloc changes the size of a block, or asks for one by way of an empty slice or nil.
func (p *player) realloc() error {
	b := p.pickOne()
	if b == nil || p.below(12, "from nothing") == 0 {
		n := p.size(p.choices)
		if p.below(2, "slice or pointer") == 0 {
			return p.allocSlice(n, 1, "Realloc", func(n int) ([]byte, error) { return p.heap.Realloc([]byte{}, n) })
		}
		return p.allocPointer(n, "ReallocPointer", func(n int) (unsafe.Pointer, error) { return p.heap.ReallocPointer(nil, n) })
	}
	n := p.nearby(p.choices, b.size)
	if p.below(20, "to nothing") == 0 {
		n = 0
	}
	if err := b.verify(b.size); err != nil {
		return err
	}
	p.index.remove(b)
	p.part(b)
	moved, err := p.resize(b, n)
	switch {
	case err != nil: // the block is what it was
		p.keep(b)
		if err := p.index.insert(b); err != nil {
			return err
		}
		if err := b.verify(b.size); err != nil {
			return err
		}
		return p.refused(n, err)
	case moved == nil: // freed
		return p.gone(b)
	}
	after := &block{start: moved, size: n, kind: b.kind, stamp: b.stamp, span: n > p.mostSmall, aligned: b.aligned && moved == b.start, stride: p.stride(n, 1)}
	if after.aligned {
		after.stride = b.stride // of a class that it grew into it knows nothing
	}
	if b.kind != fromMalloc {
		after.kind = fromAlloc // the size of an element need not divide n
	}
	if err := p.foretold(b, after); err != nil {
		return err
	}
	if err := after.verify(min(b.size, n)); err != nil {
		return fmt.Errorf("after a realloc of %s: %w", b, err)
	}
	if b.span || after.span || moved != b.start {
		if moved == b.start { // a span, with another size
			p.count(b, -1)
		} else if err := p.gone(b); err != nil {
			return err
		}
		p.count(after, 1)
	}
	return p.admit(after)
}

// resize is Realloc or ReallocPointer, as the block's kind calls for; nil: it was freed.
func (p *player) resize(b *block, n int) (unsafe.Pointer, error) {
	if b.kind == fromMalloc {
		moved, err := p.heap.ReallocPointer(b.start, n)
		if err == nil && moved == nil {
			return nil, fmt.Errorf("ReallocPointer to %d returned nil", n)
		}
		return moved, err
	}
	bytes, err := p.heap.Realloc(b.bytes(), n)
	switch {
	case err != nil:
		return nil, err
	case bytes == nil || len(bytes) != n || cap(bytes) != n:
		return nil, fmt.Errorf("Realloc to %d: length %d, capacity %d", n, len(bytes), cap(bytes))
	case n == 0:
		return nil, nil
	}
	return unsafe.Pointer(unsafe.SliceData(bytes)), nil
}

// foretold judges whether the block had to move.
func (p *player) foretold(before, after *block) error {
	stayed := before.start == after.start
	var should bool
	switch {
	case p.isGuarded(before): // its page is its own
	case before.aligned, p.mayBeGuarded(before):
		return nil // where in its block it lies is not known
	case before.span && after.span:
		should = p.spanBytes(after.size) == p.spanBytes(before.size)
	case !before.span && !after.span:
		should = p.class(after.size) == p.class(before.size)
	}
	if stayed != should {
		return fmt.Errorf("a realloc of %s to %d bytes: it stayed: %v", before, after.size, stayed)
	}
	if after.address()%p.options.Geometry.Grain() != 0 {
		return fmt.Errorf("after a realloc %s is badly aligned", after)
	}
	return nil
}

// usableSize asks how much of a block may be written.
func (p *player) usableSize() error {
	b := p.pickOne()
	if b == nil {
		return nil
	}
	n, err := p.heap.UsableSize(b.start)
	least, most := b.size, b.size
	switch {
	case p.sealed || b.span || p.isGuarded(b):
	case b.aligned:
		most = p.mostSmall // of which class it is is not known
	default:
		least, most = int(p.class(b.size).Size), int(p.class(b.size).Size)
	}
	if err != nil || n < least || n > most {
		return fmt.Errorf("the usable size of %s is %d, should be from %d to %d (%v)", b, n, least, most, err)
	}
	return nil
}
