package allocator

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// What the fast path refused is looked at here, slowly, to say what happened.

// block is a block that the user holds, found by the address that he was given.
type block struct {
	address uint64 // the user's
	start   uint64 // of the block: below address when it was allocated aligned
	size    int    // bytes that were asked for, from address on; -1: not known (plain mode)
	bin     int    // or noBin
	most    int    // bytes from address on that the block could hold

	recorded bool // its record says who allocated it
	guarded  bool // it has a page of its own
}

// noBin is the bin of a span or a guarded block.
const noBin = -1

// locate finds the live block that address is the user's address of, and verifies it.
func (h *Heap) locate(during string, address uint64) (block, *Violation) {
	fail := func(v *Violation) (block, *Violation) {
		v.During, v.Address = during, address
		return block{}, v
	}
	offset := address - h.data
	if h.inGuardPages(address) {
		h.lockPages()
		defer h.unlockPages()
		b, v := h.locateGuarded(address)
		if v != nil {
			return fail(v)
		}
		return b, nil
	}
	if offset >= h.dataUsed.Load() {
		return fail(h.foreign(address))
	}
	entry := *h.pageEntry(offset)
	switch entry.Kind() {
	case layout.PageSlab:
	case layout.PageSpan:
		h.lockPages()
		defer h.unlockPages()
		s := h.findSpan(address)
		if s == nil {
			return fail(h.noBlock(address))
		}
		if v := h.spanDamage(s); v != nil {
			return fail(v)
		}
		return block{address: address, start: s.User(), size: int(s.Requested), bin: noBin, most: int(h.spanEnd(s) - s.Offset), guarded: s.Guarded == layout.SpanGuarded}, nil
	default:
		return fail(h.noBlock(address))
	}
	c := &h.class[uint8(entry.Bin())]
	inSlab := offset&(layout.PageBytes-1) + uint64(entry.Before())*layout.PageBytes
	index := min(inSlab*c.reciprocal>>reciprocalBits, uint64(c.last/c.stride))
	start := address - inSlab + index*uint64(c.stride)
	if v := h.blockDamage(start, address, c); v != nil {
		return fail(v)
	}
	if !h.sealed {
		return block{address: address, start: start, size: -1, bin: int(c.bin), most: int(c.size)}, nil
	}
	seal := layout.Seal(*sealAt(h.pointer(start), c.size))
	used := int(seal.Size())
	inBlock := int(address - start)
	return block{address: address, start: start, size: used - inBlock, bin: int(c.bin), most: int(c.size) - inBlock, recorded: seal.State().Recorded()}, nil
}

// blockDamage is what speaks against address being the user's address of the live block at start; nil: nothing does.
func (h *Heap) blockDamage(start, address uint64, c *class) *Violation {
	v := &Violation{Block: start, Bin: int(c.bin), Size: -1}
	s, index := h.slabAndIndex(start)
	link := *h.link(s, index)
	inBlock := address - start
	switch {
	case link == layout.LinkVirgin:
		v.Kind, v.Detail = InvalidFree, "the block was never allocated"
		return v
	case link == layout.LinkWithdrawn:
		v.Kind, v.Detail = InvalidFree, "the block was found damaged before and is out of use"
		return v
	case !h.sealed && link != layout.LinkOut:
		v.Kind, v.Detail = DoubleFree, "the block is free already"
		return v
	case !h.sealed && inBlock != 0:
		v.Kind, v.Detail = InvalidFree, fmt.Sprintf("the address is %d bytes inside a block of %d bytes", inBlock, c.size)
		return v
	case !h.sealed:
		return nil
	}
	seal := layout.Seal(*sealAt(h.pointer(start), c.size))
	used := uint32(seal.Size())
	v.Size = int(used)
	switch {
	case seal.Belongs(start, h.secret) && (seal.State().Free() || seal.State() == layout.StateQuarantined):
		v.Kind, v.Detail = DoubleFree, "the block is free already"
		if seal.State() == layout.StateFree {
			v.Size = -1
		}
		return v
	case !seal.Belongs(start, h.secret) || !seal.State().Live() || used > c.size:
		v.Kind, v.Size = Overflow, -1
		v.show(h.sealedBlock(start, c).Overrun(false))
		return v
	}
	if seal.State().Aligned() && inBlock >= layout.SealBytes && inBlock <= uint64(used) {
		mark := *(*layout.Seal)(h.pointer(address - layout.SealBytes))
		if offset, ok := layout.AlignmentOffset(mark, address, h.secret); ok && uint64(offset) == inBlock {
			v.Size -= offset
			inBlock = 0
		} else if found := h.sealedBlock(start, c); address%(2*layout.ClassGrain) == 0 && found.AlignedAt(int(used)) == 0 {
			// The block has no mark any more, so this address may be the user's.
			v.Kind, v.Size = Underflow, int(used)-int(inBlock)
			v.show(found.MarkOverrun(int(inBlock), int(used)))
			return v
		}
	}
	if inBlock != 0 || (seal.State().Aligned() && address == start) {
		v.Kind, v.Detail = InvalidFree, fmt.Sprintf("the address is %d bytes inside a live block of %d bytes", address-start, used)
		return v
	}
	if slackDamaged(h.pointer(start), used, c.size) {
		v.Kind = Overflow
		v.show(h.sealedBlock(start, c).Overrun(true))
		return v
	}
	// The seal of a block that is out of use stays as it was found: its neighbour has been told of before.
	if before := start - uint64(c.stride); index > 0 && *h.link(s, index-1) != layout.LinkWithdrawn {
		seal := *sealAt(h.pointer(before), c.size)
		if !layout.Seal(seal).Belongs(before, h.secret) {
			v.Kind = Underflow
			v.show(h.sealedBlock(before, c).Underrun(v.Size))
			return v
		}
	}
	return nil
}

// foreign is the violation for an address outside the heap's data.
func (h *Heap) foreign(address uint64) *Violation {
	v := &Violation{Kind: InvalidFree, Bin: noBin, Size: -1}
	switch other := heapOf(address); {
	case other == h:
		v.Detail = "the address lies in the heap's own metadata or in a part of it that was never used"
	case other != nil:
		v.Detail = fmt.Sprintf("the address belongs to another heap, %q", other.options.Name)
	default:
		v.Detail = fmt.Sprintf("the address does not belong to this heap (its blocks lie from %s to %s)", layout.Hex(h.data), layout.Hex(h.data+h.dataUsed.Load()))
		if inGoHeap(address) {
			v.Detail += "; it looks like one of Go's own heap: memory from make or new, or from an append that had to move a slice (then the block that it was moved out of is live still)"
		}
	}
	return v
}

// inGoHeap guesses whether an address lies in Go's own heap, which grows from one place: whether it is near to something that
// lies there.
func inGoHeap(address uint64) bool {
	const near = 1 << 32
	own := uint64(uintptr(unsafe.Pointer(new([64]byte))))
	return address-own+near < 2*near
}

// noBlock is the violation for an address in the data where no block is. The pages' lock need not be held.
func (h *Heap) noBlock(address uint64) *Violation {
	v := &Violation{Kind: InvalidFree, Bin: noBin, Size: -1}
	offset := address - h.data
	entry := *h.pageEntry(offset)
	if s := h.spanAt(address); s != nil && s.State == layout.SpanQuarantined {
		v.Kind, v.Block, v.Size, v.Detail = DoubleFree, address, int(s.Requested), "the span is free already"
		return v
	}
	switch entry.Kind() {
	case layout.PageDirty:
		if h.sealed && offset%layout.PageBytes == 0 && *(*layout.Seal)(h.pointer(address)) == layout.MakeSeal(address, h.secret, 0, layout.StateFree) {
			v.Kind, v.Block, v.Detail = DoubleFree, address, "the span that began here is free already"
			return v
		}
		v.Detail = "no block is here now: the page is free"
	case layout.PageFree:
		v.Detail = "no block is here now: the page is free, or lies inside a huge span"
	case layout.PageGuard:
		v.Detail = "the address lies on the guard page behind a span"
	default:
		v.Detail = fmt.Sprintf("the address is %d bytes inside a span", uint64(entry.Before())*layout.PageBytes+offset%layout.PageBytes)
		if s := at[layout.Span](h, h.header().Identity.Descriptors+entry.Descriptor()); s.State == layout.SpanLive {
			v.Block, v.Size = s.User(), int(s.Requested)
			v.Detail = fmt.Sprintf("the address is %d bytes inside a span of %d bytes", int64(address-s.User()), s.Requested)
		}
	}
	return v
}

// refuse reports an address at which no block of a slab starts.
func (h *Heap) refuse(during string, address uint64) error {
	_, v := h.locate(during, address)
	if v == nil {
		v = &Violation{Kind: InvalidFree, During: during, Address: address, Bin: noBin, Size: -1, Detail: "the block changed hands while it was being freed: two goroutines free it"}
	}
	return h.report(v)
}

func mismatch(allocated, freed int) string {
	return fmt.Sprintf("allocated with %d bytes, freed as %d (the capacity of the slice tells)", allocated, freed)
}

// writtenAfterFree is the violation of a free block that is not as it was left: its seal is not that of a free block any more,
// or, poisoned, its bytes were written.
func (h *Heap) writtenAfterFree(during string, address uint64, c *class, found layout.Seal) *Violation {
	v := &Violation{Kind: WriteAfterFree, During: during, Address: address, Block: address, Bin: int(c.bin), Size: -1}
	if found.Belongs(address, h.secret) && found.State().Live() {
		v.Kind, v.Detail = DoubleFree, "a block in the cache of free blocks is live: it was freed twice at the same time"
		return v
	}
	block := h.sealedBlock(address, c)
	if found.Belongs(address, h.secret) && found.State().Poisoned() {
		v.Size = int(found.Size())
		if d, ok := block.Poisoned(); ok {
			v.show(d)
			return v
		}
	}
	v.show(block.Freed())
	return v
}

// remember fills in what the audit knows of the block that a violation is about.
func (h *Heap) remember(v *Violation) {
	if !h.auditing.Load() && !h.inGuardPages(v.Block) {
		return
	}
	var now [layout.MaxStackDepth]uintptr
	v.Now = &Operation{Goroutine: goroutineID(), Stack: now[:runtime.Callers(2, now[:])]}
	r, ok := h.recordOf(v.Block)
	if !ok {
		return
	}
	v.Allocated = h.operation(r.AllocGoroutine, r.AllocSequence, r.AllocStack)
	if v.Kind == DoubleFree || v.Kind == UseAfterFree || v.Kind == WriteAfterFree {
		v.Freed = h.operation(r.FreeGoroutine, r.FreeSequence, r.FreeStack)
	}
}

// unrecorded reports whether a block's seal says that its record is an earlier owner's. A broken seal says nothing: then the
// record is the best guess there is.
func (h *Heap) unrecorded(s *layout.Slab, index uint32) bool {
	start := s.Base + uint64(index)*uint64(s.Stride)
	seal := layout.Seal(*sealAt(h.pointer(start), h.class[uint8(s.Bin)].size))
	return seal.Belongs(start, h.secret) && !seal.State().Recorded()
}

// recordOf is a copy of the record of the block or the span that starts at address.
func (h *Heap) recordOf(address uint64) (r layout.Record, ok bool) {
	if h.inGuardPages(address) {
		h.lockPages()
		defer h.unlockPages()
		s, _ := h.guardSlotOf(address)
		return s.Record, s.State != layout.GuardVirgin
	}
	if address-h.data >= h.dataUsed.Load() {
		return r, false
	}
	switch entry := *h.pageEntry(address - h.data); entry.Kind() {
	case layout.PageSlab:
		s, index := h.slabAndIndex(address)
		if record := h.record(s, index); record != nil && !h.unrecorded(s, index) {
			return *record, true
		}
	case layout.PageSpan:
		h.lockPages()
		defer h.unlockPages()
		if s := h.spanAt(address); s != nil && s.Recorded == layout.SpanRecorded {
			return s.Record, true
		}
	}
	return r, false
}
