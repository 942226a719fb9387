package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// trespass does something that is not allowed. The heap must say what it was, and be none the worse for it.
func (p *player) trespass() error {
	switch p.below(8, "trespass") {
	case 0:
		return p.impossibleSize()
	case 1:
		return p.badAlignment()
	case 2:
		return p.foreignAddress()
	case 3:
		return p.interiorAddress()
	case 4:
		return p.wrongSize()
	case 5:
		return p.freeTwice()
	case 6:
		return p.overflow()
	default:
		return p.writeAfterFree()
	}
}

// violation judges the error of a forbidden operation: it must be a violation of one of these kinds.
func (p *player) violation(err error, during string, address unsafe.Pointer, kinds ...allocator.Kind) error {
	v := (*allocator.Violation)(nil)
	if !errors.As(err, &v) {
		return fmt.Errorf("%v during %s was expected, not %w", kinds, during, err)
	}
	p.expected++
	if !slices.Contains(kinds, v.Kind) || v.During != during || v.Heap != p.heap.Name() || v.Address != uint64(uintptr(address)) || v.Detail == "" {
		return fmt.Errorf("%v during %s of %p was expected, not %+v", kinds, during, address, *v)
	}
	if text := err.Error(); !strings.Contains(text, string(v.Kind)) || !strings.Contains(text, layout.Hex(v.Address)) || !strings.Contains(text, v.Heap) {
		return fmt.Errorf("the text says too little: %w", err)
	}
	return nil
}

// passAround passes an address that is not that of a block to everything that takes an address.
func (p *player) passAround(address unsafe.Pointer, kinds ...allocator.Kind) error {
	switch p.below(3, "to which function") {
	case 0:
		return p.violation(p.heap.FreePointer(address), "free", address, kinds...)
	case 1:
		_, err := p.heap.UsableSize(address)
		return p.violation(err, "usable size", address, kinds...)
	default:
		moved, err := p.heap.ReallocPointer(address, p.size(p.choices))
		if moved != nil {
			return fmt.Errorf("ReallocPointer returned an address and %w", err)
		}
		return p.violation(err, "realloc", address, kinds...)
	}
}

// impossibleSize asks for what no heap of this size could ever grant.
func (p *player) impossibleSize() error {
	n := oneOf(p.choices, "impossible size", -1, -8, math.MinInt, math.MaxInt, 1<<62, 1<<40, p.limit()+1)
	var err error
	switch p.below(6, "how to ask") {
	case 0:
		_, err = p.heap.Alloc(n)
	case 1:
		_, err = p.heap.AllocZeroed(n)
	case 2:
		_, err = p.heap.AllocAligned(n, 64)
	case 3:
		_, err = p.heap.Calloc(2, n/2+n%2)
		n = n/2 + n%2
	case 4:
		_, err = allocator.Make[pair](p.heap, n)
	default:
		b := p.pickOne()
		if b == nil {
			return nil
		}
		_, err = p.heap.ReallocPointer(b.start, n)
	}
	wrong := (*allocator.SizeError)(nil)
	if !errors.As(err, &wrong) {
		return fmt.Errorf("a size error was expected for %d bytes, not %w", n, err)
	}
	if !strings.Contains(err.Error(), fmt.Sprint(wrong.Limit)) || wrong.Limit <= 0 || !strings.Contains(err.Error(), fmt.Sprint(wrong.Size)) {
		return fmt.Errorf("the text does not name request and limit: %w", err)
	}
	return nil
}

func (p *player) badAlignment() error {
	align := oneOf(p.choices, "bad alignment", 0, 3, -8, 12, 2<<20, 1<<40, math.MinInt)
	if b, err := p.heap.AllocAligned(40, align); err == nil || b != nil {
		return fmt.Errorf("an alignment of %d was granted", align)
	}
	return nil
}

// foreignAddress passes an address where this heap has no block.
func (p *player) foreignAddress() error {
	base, bytes := p.heap.Range()
	place := unsafe.Pointer(unsafe.SliceData(p.foreign))
	switch what := p.below(6, "whose address"); {
	case what == 0: // another heap's
	case what == 1: // the Go heap's
		place = unsafe.Pointer(&new(pair).key)
	case what == 2 && p.pickFirst() != nil: // the header's
		place = unsafe.Add(p.pickFirst().start, -int(p.pickFirst().address()-base))
	case what == 3 && p.pickFirst() != nil: // the end of the reserve's
		place = unsafe.Add(p.pickFirst().start, int(base+bytes-1-p.pickFirst().address()))
		if p.tiny {
			return nil // somebody may have a block there
		}
	case what == 4:
		slice := append(p.foreign, 1) // as append does with a slice that is full
		return p.violation(p.heap.Free(slice), "free", unsafe.Pointer(unsafe.SliceData(slice)), allocator.InvalidFree)
	default:
		slice := unsafe.Slice((*byte)(place), 16)
		_, err := p.heap.Realloc(slice, 20)
		return p.violation(err, "realloc", place, allocator.InvalidFree)
	}
	return p.passAround(place, allocator.InvalidFree)
}

func (p *player) pickFirst() *block {
	if len(p.blocks) == 0 {
		return nil
	}
	return p.blocks[0]
}

// interiorAddress passes an address inside a block.
func (p *player) interiorAddress() error {
	b := p.pickOne()
	if b == nil || b.size < 2 {
		return nil
	}
	inside := 1 + p.below(b.size-1, "offset")
	return p.passAround(unsafe.Add(b.start, inside), allocator.InvalidFree)
}

// wrongSize gives a block back with another size than it was asked for with.
func (p *player) wrongSize() error {
	b := p.pickOne()
	if b == nil || b.size == 0 || b.kind != fromAlloc || !(p.sealed || b.span) {
		return nil // a plain heap does not know the sizes of small blocks
	}
	n := oneOf(p.choices, "wrong size", b.size-1, b.size+1, b.size+8, b.size/2, 1)
	if n == b.size || n == 0 {
		return nil
	}
	forged := unsafe.Slice((*byte)(b.start), n)
	if p.below(2, "to which function") == 0 {
		return p.violation(p.heap.Free(forged), "free", b.start, allocator.SizeMismatch)
	}
	_, err := p.heap.Realloc(forged, p.size(p.choices)+1)
	return p.violation(err, "realloc", b.start, allocator.SizeMismatch)
}
