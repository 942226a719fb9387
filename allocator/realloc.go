package allocator

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Realloc changes the size of a block to n bytes, in place when its size class allows, else by moving it. The contents up to
// the smaller size stay. b must be what Free would take and is not valid afterwards; when an error comes back, it still is.
// Realloc of an empty slice is Alloc; Realloc to 0 is Free and returns an empty slice. A block of AllocAligned that moves is
// aligned as by Alloc.
func (h *Heap) Realloc(b []byte, n int) ([]byte, error) {
	switch {
	case cap(b) == 0:
		return h.Alloc(n)
	case n == 0:
		return []byte{}, h.Free(b)
	}
	p, err := h.reallocate(unsafe.Pointer(unsafe.SliceData(b)), cap(b), n)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), n), nil
}

// ReallocPointer is Realloc for an address from Malloc; nil is Malloc(n).
func (h *Heap) ReallocPointer(p unsafe.Pointer, n int) (unsafe.Pointer, error) {
	if p == nil {
		return h.Malloc(n)
	}
	return h.reallocate(p, unknownSize, n)
}

// UsableSize is how many bytes may be written at p, an address from Malloc: exactly what was asked for in a sealed heap,
// because the bytes behind it are watched; the whole block in a plain one, unless it is a span. The error is a *Violation.
func (h *Heap) UsableSize(p unsafe.Pointer) (int, error) {
	b, v := h.locate("usable size", uint64(uintptr(p)))
	if v != nil {
		return 0, h.report(asUse(v))
	}
	if b.size < 0 {
		return b.most, nil
	}
	return b.size, nil
}

func (h *Heap) reallocate(p unsafe.Pointer, size, n int) (unsafe.Pointer, error) {
	address := uint64(uintptr(p))
	b, v := h.locate("realloc", address)
	if v == nil && size != unknownSize && b.size >= 0 && size != b.size {
		v = &Violation{Kind: SizeMismatch, During: "realloc", Address: address, Block: b.start, Bin: b.bin, Size: b.size, Detail: mismatch(b.size, size)}
	}
	if v != nil {
		return nil, h.report(asUse(v))
	}
	if n >= 0 && h.resizeInPlace(b, n) {
		return p, nil
	}
	moved, err := h.Malloc(n)
	if err != nil {
		return nil, err
	}
	keep := b.size
	if keep < 0 {
		keep = b.most
	}
	if keep = min(keep, n); keep > 0 {
		copy(unsafe.Slice((*byte)(moved), keep), unsafe.Slice((*byte)(p), keep))
	}
	return moved, h.free(p, unknownSize)
}

// resizeInPlace does what can be done without moving: the new size belongs to the same class, or to the same pages.
func (h *Heap) resizeInPlace(b block, n int) bool {
	switch {
	case n > b.most || b.guarded:
		return false
	case b.bin < 0:
		h.lockPages()
		defer h.unlockPages()
		s := h.findSpan(b.start)
		if s == nil || n <= b.most-layout.PageBytes || n <= h.mostSmall {
			return false
		}
		s.Requested = uint64(n)
		h.sealSpan(s)
		return true
	case b.address == b.start && h.binOf(n) != uint8(b.bin):
		return false
	}
	if h.sealed {
		h.reseal(b.start, int(b.address-b.start), n)
	}
	return true
}

// asUse renames what is a double free for Free: here a freed block was used.
func asUse(v *Violation) *Violation {
	if v.Kind == DoubleFree {
		v.Kind = UseAfterFree
	}
	return v
}
