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
	offset := address - h.data
	if offset >= h.dataUsed.Load() {
		return h.refuse("free", address)
	}
	entry := *h.pageEntry(offset)
	if entry.Kind() != layout.PageSlab {
		return h.freeSpan(address, size)
	}
	c := &h.class[uint8(entry.Bin())]
	inSlab := offset&(layout.PageBytes-1) + uint64(entry.Before())*layout.PageBytes
	if _, starts := c.index(inSlab); !starts {
		return h.freeAligned(address, size)
	}
	var seal *uint64
	hash := uint64(0)
	if h.sealed {
		hash = layout.SealHash(address, h.secret)
		seal = sealAt(block, c.sealOffset)
		used := uint32(*seal) & sealSizeMask >> 4
		intact := *seal&^sealSizeMask == hash|uint64(layout.StateLive) && used <= c.size && slackIntact(block, used, c.size)
		if !intact || (size != int(used) && size != unknownSize) {
			return h.refuseFree(address, size)
		}
		if inSlab != 0 && !h.hasSealOf(address-uint64(c.stride), *(*uint64)(unsafe.Add(block, -layout.SealBytes))) {
			return h.refuseFree(address, size)
		}
	} else if *h.link(h.slabOf(entry), inSlab/uint64(c.stride)) != layout.LinkOut {
		return h.refuseFree(address, size)
	}
	for {
		p := pin()
		if p < int(h.cachesReady.Load()) {
			m := h.magazine(p, c.bin)
			tally := m.Tally
			if count := uint(tally.Count()); count < layout.MagazineBlocks && count < uint(m.Limit) {
				m.Blocks[count] = address
				// First the count, then the seal: a reader finds the block at the magazine's top, in somebody's hands.
				m.Tally = tally + layout.TallyFree
				if h.sealed {
					*seal = hash | uint64(layout.StateFree)
				}
				unpin(p)
				return nil
			}
		}
		unpin(p)
		if err := h.flush(int(c.bin)); err != nil {
			return err
		}
	}
}

// hasSealOf reports whether seal carries the hash of the block at address, whatever its state.
func (h *Heap) hasSealOf(address, seal uint64) bool {
	return (seal^layout.SealHash(address, h.secret))&layout.SealHashMask == 0
}
