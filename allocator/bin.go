package allocator

import (
	"github.com/glassheap/glassheap/allocator/layout"
)

// A bin's lists of slabs, and the movement of single blocks between a slab and a magazine. The bin's lock is held throughout.

func (h *Heap) pushSlab(list *layout.Ref[layout.Slab], s *layout.Slab) {
	s.Next, s.Previous = *list, 0
	if *list != 0 {
		h.slab(*list).Previous = h.refSlab(s)
	}
	*list = h.refSlab(s)
}

func (h *Heap) removeSlab(list *layout.Ref[layout.Slab], s *layout.Slab) {
	if s.Previous != 0 {
		h.slab(s.Previous).Next = s.Next
	} else {
		*list = s.Next
	}
	if s.Next != 0 {
		h.slab(s.Next).Previous = s.Previous
	}
	s.Next, s.Previous = 0, 0
}

// takeFromSlabs moves up to half a magazine of blocks from the first slab that has room into m, which is empty, so that the
// block with the lowest address comes out first. It leaves m's and the bin's lent counts to the caller.
func (h *Heap) takeFromSlabs(b *layout.Bin, m *layout.Magazine) int {
	ref := b.Partial
	if ref == 0 {
		if ref = b.Empty; ref == 0 {
			return 0
		}
		h.removeSlab(&b.Empty, h.slab(ref))
		b.EmptyCount--
		h.pushSlab(&b.Partial, h.slab(ref))
	}
	s := h.slab(ref)
	want := int(b.Magazine / 2)
	var batch [layout.MagazineBlocks]uint64
	n := 0
	for ; n < want && s.FreeCount > 0; n++ {
		index := uint32(s.FreeHead)
		link := h.link(s, index)
		if next, more := link.Next(); more {
			s.FreeHead = uint16(next)
		} else {
			s.FreeHead = layout.NoBlock
		}
		*link = layout.LinkOut
		s.FreeCount--
		b.FreeBlocks--
		batch[n] = s.Base + uint64(index)*uint64(s.Stride)
	}
	for ; n < want && s.Carved < s.Capacity; n++ {
		index := uint32(s.Carved)
		*h.link(s, index) = layout.LinkOut
		batch[n] = s.Base + uint64(index)*uint64(s.Stride)
		if h.sealed {
			*sealAt(h.pointer(batch[n]), b.Size) = layout.SealHash(batch[n], h.secret) | uint64(layout.StateFree)
		}
		s.Carved++
		b.CarvedBlocks++
	}
	if s.Full() {
		h.removeSlab(&b.Partial, s)
	}
	for i := range n {
		m.Blocks[i] = batch[n-1-i]
	}
	return n
}

// giveBack puts a block on its slab's free list; false when the slab has not given it out. Such a block was freed twice: by
// two goroutines at the same time, each of which found it live, or damaged and then freed again. It is where it belongs
// already, and nothing is done with it.
func (h *Heap) giveBack(b *layout.Bin, address uint64) bool {
	s, index := h.slabAndIndex(address)
	link := h.link(s, index)
	if *link != layout.LinkOut {
		return false
	}
	if s.Full() {
		h.pushSlab(&b.Partial, s)
	}
	if s.FreeHead == layout.NoBlock {
		*link = layout.LinkEnd
	} else {
		*link = layout.LinkTo(uint32(s.FreeHead))
	}
	s.FreeHead = uint16(index)
	s.FreeCount++
	b.FreeBlocks++
	if s.Empty() {
		h.removeSlab(&b.Partial, s)
		h.pushSlab(&b.Empty, s)
		b.EmptyCount++
	}
	return true
}

// slabAndIndex is where the block at address lies. The address must be one that a magazine holds.
func (h *Heap) slabAndIndex(address uint64) (*layout.Slab, uint32) {
	entry := *h.pageEntry(address - h.data)
	s := h.slabOf(entry)
	index, _ := h.class[uint8(entry.Bin())].index(uint32(address - s.Base))
	return s, index
}

// withdrawTop takes the block at the top of the magazine out of use for ever: its seal is not that of a free block, so
// somebody wrote to it after it was freed, or past the block before it, or freed it twice. The caller is pinned on p; it is not afterwards.
func (h *Heap) withdrawTop(p int, m *layout.Magazine, c *class) {
	b := h.bin(int(c.bin))
	if !tryLock(&b.Lock, p) {
		unpin(p) // somebody is moving a batch; the fast path comes here again
		return
	}
	address := m.Blocks[m.Tally.Count()-1]
	block := h.pointer(address)
	found := layout.Seal(*sealAt(block, c.size))
	if found.Unfolded() == layout.SealHash(address, h.secret)|uint64(layout.StatePoisoned) && poisoned(block, c.size) {
		// Freed while the heap was audited, and wanted by the fast path, which looks for one kind of free block.
		*sealAt(block, c.size) = layout.SealHash(address, h.secret) | uint64(layout.StateFree)
		h.unlockBin(b, p)
		return
	}
	s, index := h.slabAndIndex(address)
	if link := h.link(s, index); *link == layout.LinkWithdrawn || (found.Belongs(address, h.secret) && found.State().Live()) {
		// It is in the magazine once too often: the second free of two counts as one, and this as the alloc that it needs.
		// The block is somebody's, or out of use already.
		m.Tally += layout.TallyAlloc
	} else {
		m.Tally--
		m.Inflow--
		b.LentBlocks--
		*link = layout.LinkWithdrawn
		s.Withdrawn++
		b.WithdrawnCount++
	}
	h.unlockBin(b, p)
	h.report(h.writtenAfterFree("alloc", address, c, found))
}

// withdrawLive takes a block out of use that the user holds and that was found damaged.
func (h *Heap) withdrawLive(address uint64) {
	s, index := h.slabAndIndex(address)
	b := h.bin(int(s.Bin))
	p := h.lockBin(b)
	link := h.link(s, index)
	if p < int(h.cachesReady.Load()) && *link == layout.LinkOut {
		h.withdrawLent(p, b, address)
	}
	h.unlockBin(b, p)
}

// withdrawLent takes a block that is out, but in no magazine, out of use. The bin's lock is held.
func (h *Heap) withdrawLent(p int, b *layout.Bin, address uint64) {
	s, index := h.slabAndIndex(address)
	m := h.readyMagazine(p, b)
	// Into the magazine as a free, out of it withdrawn: the totals still explain the count.
	m.Tally += layout.TallyFree - 1
	m.Inflow--
	b.LentBlocks--
	*h.link(s, index) = layout.LinkWithdrawn
	s.Withdrawn++
	b.WithdrawnCount++
}
