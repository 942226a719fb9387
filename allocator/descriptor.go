package allocator

import (
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Metadata grows behind what is in use of it; the rest is inaccessible. Everything here is under the pages' lock.

const (
	tableChunk      = 64 << 10  // the arena table and the page map grow by this many bytes
	descriptorChunk = 256 << 10 // the descriptors
)

// grow makes the first used bytes of a part of the metadata, which begins at start and has room for this many, usable.
// ready is how many are already. What lies behind the part's last page stays inaccessible.
func (h *Heap) grow(ready *uint64, start, used, room, chunk uint64) error {
	if used <= *ready {
		return nil
	}
	end := min((used+chunk-1)/chunk*chunk, (room+layout.PageBytes-1)&^(layout.PageBytes-1))
	if err := h.memory.commit(start+*ready, end-*ready); err != nil {
		return fmt.Errorf("the system gave no memory for %d KiB of metadata: %w", (end-*ready)>>10, err)
	}
	*ready = end
	return nil
}

// cutDescriptor cuts a new descriptor of this many bytes and returns its address. Its bytes are zero.
func (h *Heap) cutDescriptor(bytes uint64) (uint64, error) {
	head := h.header()
	start := head.DescriptorsTop
	top := start + bytes
	if top > head.Identity.DescriptorsEnd {
		return 0, h.exhausted(0)
	}
	first := head.Identity.Descriptors
	if err := h.grow(&h.descriptorsReady, first-h.baseAddress, top-first, head.Identity.DescriptorsEnd-first, descriptorChunk); err != nil {
		return 0, err
	}
	head.DescriptorsTop = top
	return start, nil
}

// offset is how far a pointer into the heap lies from its base.
func (h *Heap) offset(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) - h.baseAddress }
