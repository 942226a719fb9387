package allocator

import (
	"math"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// growBin gives the bin a slab of its own, unless somebody else did meanwhile.
func (h *Heap) growBin(bin int) error {
	s, err := h.makeSlab(h.bin(bin))
	if wantsRoom(err) {
		h.reclaim()
		s, err = h.makeSlab(h.bin(bin))
	}
	if err == nil && s != nil {
		OnSlabReady(s)
	}
	return err
}

// makeSlab returns nil when the bin has got room without it.
func (h *Heap) makeSlab(b *layout.Bin) (*layout.Slab, error) {
	h.lockPages()
	defer h.unlockPages()
	if h.hasRoom(b) {
		return nil, nil
	}
	offset, err := h.takeRun(int(b.SlabPages), 1)
	if err != nil {
		return nil, err
	}
	address, err := h.slabDescriptor(b)
	if err != nil {
		return nil, err
	}
	s := at[layout.Slab](h, address)
	records := s.Records
	clear(unsafe.Slice((*byte)(unsafe.Pointer(s)), b.DescriptorBytes))
	*s = layout.Slab{
		Base:     h.data + offset,
		Links:    layout.Ref[layout.Link](address + layout.SlabBytes),
		Records:  records,
		Arena:    uint32(offset / layout.ArenaBytes),
		Bin:      b.ID,
		Stride:   b.Stride,
		Pages:    uint16(b.SlabPages),
		State:    layout.SlabMaking,
		Capacity: uint16(b.Capacity),
		FreeHead: layout.NoBlock,
	}
	if end, whole := b.Capacity*b.Stride, b.SlabPages*layout.PageBytes; h.sealed && end < whole {
		// Whoever writes before the first block of the next slab writes here. (Were the capacity wrong, there might be no here.)
		fillSlack(h.pointer(s.Base), end, whole)
	}
	h.markRun(offset, int(b.SlabPages), layout.PageSlab, b.ID, address-h.header().Identity.Descriptors)
	h.arena(uint64(s.Arena)).SlabCount++
	h.clearRecords(s, b.Capacity)
	if h.auditing.Load() {
		h.recordSlab(s, b.Capacity)
	}

	p := h.lockBin(b)
	s.State = layout.SlabActive
	h.pushSlab(&b.Empty, s)
	b.EmptyCount++
	b.SlabCount++
	h.unlockBin(b, p)
	return s, nil
}

func (h *Heap) hasRoom(b *layout.Bin) bool {
	p := h.lockBin(b)
	defer h.unlockBin(b, p)
	return b.Depot != 0 || b.Partial != 0 || b.Empty != 0
}

// slabDescriptor is the address of a Slab for the bin: a retired one, else a new one. The pages' lock is held.
func (h *Heap) slabDescriptor(b *layout.Bin) (uint64, error) {
	p := h.lockBin(b)
	ref := b.Retired
	if ref != 0 {
		b.Retired = h.slab(ref).Next
		b.RetiredCount--
	}
	h.unlockBin(b, p)
	if ref != 0 {
		return uint64(ref), nil
	}
	return h.cutDescriptor(uint64(b.DescriptorBytes))
}

// tooManyEmpty reports whether the bin holds more empty slabs than the one, and an eighth of all, that it keeps so that a
// program that frees and allocates in turn does not make slabs anew each time. The bin's lock is held.
func tooManyEmpty(b *layout.Bin) bool { return b.EmptyCount > 1+b.SlabCount/8 }

// releaseEmptySlabs gives the pages of empty slabs back to their arenas: all of them, or those that are too many.
func (h *Heap) releaseEmptySlabs(bin int, all bool) { h.releaseSomeSlabs(bin, all, math.MaxInt) }

// releaseSomeSlabs is releaseEmptySlabs for at most so many; more says that there may be further ones.
func (h *Heap) releaseSomeSlabs(bin int, all bool, most int) (more bool) {
	h.lockPages()
	defer h.unlockPages()
	b := h.bin(bin)
	n := 0
	for ; n < most; n++ {
		p := h.lockBin(b)
		if b.EmptyCount == 0 || (!all && !tooManyEmpty(b)) {
			h.unlockBin(b, p)
			break
		}
		s := h.slab(b.Empty)
		h.removeSlab(&b.Empty, s)
		b.EmptyCount--
		b.SlabCount--
		b.CarvedBlocks -= uint64(s.Carved)
		b.FreeBlocks -= uint64(s.FreeCount)
		offset, pages, arena := s.Base-h.data, int(s.Pages), uint64(s.Arena)
		*s = layout.Slab{Bin: b.ID, State: layout.SlabRetired, Next: b.Retired, Records: s.Records}
		b.Retired = h.refSlab(s)
		b.RetiredCount++
		h.unlockBin(b, p)
		h.arena(arena).SlabCount--
		h.dropRun(offset, pages)
	}
	h.retireArenas()
	h.limitDirtyPages(h.options.RetainBytes)
	return n == most
}
