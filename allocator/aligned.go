package allocator

import (
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// AllocAligned is Alloc at an address that is a multiple of align, a power of two up to 1 MiB. Alignments up to 8, in GeometryAligned up to 16, cost
// nothing; larger ones take a larger block, or whole pages.
func (h *Heap) AllocAligned(n, align int) ([]byte, error) {
	if align <= 0 || align&(align-1) != 0 || align > layout.ArenaBytes {
		return nil, fmt.Errorf("glassheap: cannot align to %d bytes: it must be a power of two from 1 to %d", align, layout.ArenaBytes)
	}
	if n <= 0 || uint64(align) <= h.grain {
		return h.Alloc(n)
	}
	p, err := h.mallocAligned(n, align)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), n), nil
}

func (h *Heap) mallocAligned(n, align int) (unsafe.Pointer, error) {
	if !h.sealed {
		// Without seals a stride is a size, and slabs start at pages: a stride that align divides is aligned throughout.
		for bin := range int(h.header().Identity.BinCount) {
			if c := &h.class[bin]; int(c.size) >= n && int(c.stride)%align == 0 && align <= layout.PageBytes {
				return h.mallocFromBin(int(c.size))
			}
		}
		return h.mallocSpan(n, max(align, layout.PageBytes))
	}
	if n > h.mostSmall || n+align-layout.ClassGrain > h.mostSmall {
		return h.mallocSpan(n, max(align, layout.PageBytes))
	}
	start, err := h.mallocFromBin(n + align - layout.ClassGrain)
	if err != nil {
		return nil, err
	}
	base := uint64(uintptr(start))
	inBlock := int(-base & uint64(align-1))
	h.reseal(base, inBlock, n)
	return unsafe.Add(start, inBlock), nil
}

// mallocFromBin is Malloc, but never of a guarded block, whose place on its page is not for choosing.
func (h *Heap) mallocFromBin(n int) (unsafe.Pointer, error) {
	p, err := h.Malloc(n)
	if err == nil && h.inGuardPages(uint64(uintptr(p))) {
		if err := h.free(p, unknownSize); err != nil {
			return nil, err
		}
		h.lockPages()
		h.guardPool().Missed++
		h.unlockPages()
		return h.mallocAudited(n, false)
	}
	return p, err
}

// reseal changes how much of a live block is in use: size bytes, that begin inBlock bytes after its start.
func (h *Heap) reseal(start uint64, inBlock, size int) {
	entry := *h.pageEntry(start - h.data)
	c := &h.class[uint8(entry.Bin())]
	p := h.pointer(start)
	recorded := layout.Seal(*sealAt(p, c.size)).State().Recorded()
	state := layout.StateLive
	if recorded {
		state = layout.StateRecorded
	}
	if inBlock > 0 {
		state = layout.StateAligned
		if recorded {
			state = layout.StateRecordedAligned
		}
		*(*layout.Seal)(unsafe.Add(p, inBlock-layout.SealBytes)) = layout.MakeAlignmentMark(start+uint64(inBlock), h.secret, inBlock)
	}
	seal := sealAt(p, c.size)
	old := uint32(layout.Seal(*seal).Size())
	used := uint32(inBlock + size)
	sealed := uint64(layout.MakeSeal(start, h.secret, int(used), state))
	// At every moment the bytes behind what the seal says carry the pattern.
	if used < old {
		fillSlack(p, used, c.size)
	}
	*seal = sealed
}
