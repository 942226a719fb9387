package allocator

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Free gives a block back. b must be what Alloc or Realloc returned, or a re-slice of it that starts at the same byte and
// keeps its capacity: the capacity tells the size. Freeing an empty slice with no capacity does nothing.
//
// The block is verified first. A violation runs the heap's policy and comes back as the error, a *Violation; the block is
// then not freed.
func (h *Heap) Free(b []byte) error {
	if cap(b) == 0 {
		return nil
	}
	return h.free(unsafe.Pointer(unsafe.SliceData(b)), cap(b))
}

// FreePointer is Free for an address from Malloc, Calloc or ReallocPointer; nil does nothing.
func (h *Heap) FreePointer(p unsafe.Pointer) error {
	if p == nil {
		return nil
	}
	return h.free(p, unknownSize)
}

const unknownSize = -1

func (h *Heap) free(block unsafe.Pointer, size int) error {
	address := uint64(uintptr(block))
	if address-h.data >= h.quickData.Load() {
		return h.freeAudited(block, size)
	}
	for {
		p := pin()
		offset := address - h.data
		entry := *h.pageEntry(offset)
		bin := uint8(entry.Bin())
		c := &h.class[bin]
		inSlab := entry.InSlab(offset)
		if entry.Kind() != layout.PageSlab {
			unpin(p)
			return h.freeSpan(address, size)
		}
		if inSlab > c.last {
			goto slowly
		}
		if h.sealed {
			// Only where a block starts does the word at its end carry the hash of this address.
			hash := layout.SealHash(address, h.secret)
			seal := sealAt(block, c.size)
			found := layout.Seal(*seal)
			if found.Unfolded() != hash|uint64(layout.StateLive) {
				goto slowly
			}
			used := uint32(found.Size())
			if size != unknownSize && size != int(used) {
				goto slowly
			}
			if slack := c.size - used; slack > 8 {
				if longSlackDamaged(block, slack, c.size) {
					goto slowly
				}
			} else if layout.SlackDamaged(*sealAt(block, c.size-8), slack) {
				goto slowly
			}
			if inSlab != 0 && !layout.Seal(*(*uint64)(unsafe.Add(block, -layout.SealBytes))).Belongs(address-uint64(c.stride), h.secret) {
				goto slowly
			}
			// First the count, then the seal: a reader finds the block at the magazine's top, in somebody's hands.
			if h.push(p, bin, address) {
				*seal = hash | uint64(layout.StateFree)
				unpin(p)
				return nil
			}
		} else {
			if index, starts := c.index(inSlab); !starts || *h.link(h.slabOf(entry), index) != layout.LinkOut {
				goto slowly
			}
			if h.push(p, bin, address) {
				unpin(p)
				return nil
			}
		}
		unpin(p)
		if err := h.flush(int(bin)); err != nil {
			return err
		}
		continue
	slowly:
		unpin(p)
		return h.freeSlowly(address, size)
	}
}

// push puts a block into the magazine of the P that the caller is pinned on; false: it is full.
func (h *Heap) push(p int, bin uint8, address uint64) bool {
	if p >= int(h.cachesReady.Load()) {
		return false
	}
	m := h.magazine(p, bin)
	tally := m.Tally
	count := uint(tally.Count())
	if count >= layout.MagazineBlocks || count >= uint(m.Limit) {
		return false
	}
	m.Blocks[count] = address
	m.Tally = tally + layout.TallyFree
	return true
}

// freeOutside is free for an address that is none of the data's.
//
//go:noinline
func (h *Heap) freeOutside(address uint64, size int) error {
	if h.inGuardPages(address) {
		return h.freeGuarded(address, size)
	}
	return h.refuse("free", address)
}

// freeSlowly is free for what is not plainly a healthy block that starts at address: one that was allocated aligned, one
// behind a block that is out of use, or a violation.
//
//go:noinline
func (h *Heap) freeSlowly(address uint64, size int) error {
	b, v := h.locate("free", address)
	switch {
	case v == nil && size != unknownSize && b.size >= 0 && size != b.size:
		v = &Violation{Kind: SizeMismatch, During: "free", Address: address, Block: b.start, Bin: b.bin, Size: b.size, Detail: mismatch(b.size, size)}
	case v == nil && b.start != address:
		h.reseal(b.start, 0, int(address-b.start)+b.size)
		return h.free(h.pointer(b.start), unknownSize)
	case v == nil && (h.followsWithdrawn(b.start) || b.recorded):
		return h.freeVerified(b)
	case v == nil:
		v = &Violation{Kind: DoubleFree, During: "free", Address: address, Block: address, Bin: b.bin, Size: b.size, Detail: "the block changed hands while it was being freed: two goroutines free it"}
	case v.Kind == Overflow:
		h.withdrawLive(v.Block)
	}
	return h.report(v)
}

// followsWithdrawn reports whether the block before the one at address is out of use. Its seal is broken for ever, so free
// refuses what comes behind it.
func (h *Heap) followsWithdrawn(address uint64) bool {
	s, index := h.slabAndIndex(address)
	return index > 0 && *h.link(s, index-1) == layout.LinkWithdrawn
}

// freeVerified is the end of free for a block that was verified the slow way.
func (h *Heap) freeVerified(b block) error {
	if h.auditing.Load() {
		c := &h.class[b.bin]
		block := h.pointer(b.start)
		return h.quarantine(block, c, layout.Seal(*sealAt(block, c.size)), h.record(h.slabAndIndex(b.start)))
	}
	return h.keep(b.start)
}

// keep seals a block that was verified as free and puts it into the magazine: the end of free, for those that came the slow way.
func (h *Heap) keep(address uint64) error {
	bin := uint8(h.pageEntry(address - h.data).Bin())
	for {
		p := pin()
		if h.push(p, bin, address) {
			if h.sealed {
				*sealAt(h.pointer(address), h.class[bin].size) = layout.SealHash(address, h.secret) | uint64(layout.StateFree)
			}
			unpin(p)
			return nil
		}
		unpin(p)
		if err := h.flush(int(bin)); err != nil {
			return err
		}
	}
}
