package allocator

import (
	"fmt"
	"unsafe"
)

// Metadata grows behind what is in use of it; the rest is inaccessible. Everything here is under the pages' lock.

const (
	tableChunk      = 64 << 10  // the arena table and the page map grow by this many bytes
	descriptorChunk = 256 << 10 // the descriptors
)

// grow makes the first used bytes of a part of the metadata, which begins at start, usable. ready is how many are already.
func (h *Heap) grow(ready *uint64, start, used, chunk uint64) error {
	if used <= *ready {
		return nil
	}
	end := (used + chunk - 1) / chunk * chunk
	if err := h.memory.commit(start+*ready, end-*ready); err != nil {
		return fmt.Errorf("the system gave no memory for %d KiB of metadata: %w", (end-*ready)>>10, err)
	}
	*ready = end
	return nil
}

// cutDescriptor cuts a new descriptor of this many bytes and returns its address. Its bytes are not defined.
func (h *Heap) cutDescriptor(bytes uint64) (uint64, error) {
	head := h.header()
	start := head.DescriptorsTop
	top := start + bytes
	if top > head.Identity.DescriptorsEnd {
		return 0, h.exhausted(0)
	}
	first := head.Identity.Descriptors
	chunk := min(uint64(descriptorChunk), head.Identity.DescriptorsEnd-first-h.descriptorsReady)
	if err := h.grow(&h.descriptorsReady, first-h.baseAddress, top-first, max(chunk, 1)); err != nil {
		return 0, err
	}
	head.DescriptorsTop = top
	return start, nil
}

// offset is how far a pointer into the heap lies from its base.
func (h *Heap) offset(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) - h.baseAddress }
