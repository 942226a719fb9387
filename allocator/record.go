package allocator

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Audit records: cut once for a slab's descriptor, with which they stay. Everything here is under the pages' lock.

const recordsChunk = 256 << 10 // the records grow by this many bytes

// recordSlab gives a slab its records, unless it has some. There may be no room for them: then its blocks go unrecorded.
func (h *Heap) recordSlab(s *layout.Slab, capacity uint32) {
	if s.Records != 0 {
		return
	}
	head := h.header()
	bytes := layout.RecordArrayBytes(capacity)
	first, start := head.Identity.Records, head.RecordsTop
	if start+bytes > head.Identity.RecordsEnd ||
		h.grow(&h.recordsReady, first-h.baseAddress, start+bytes-first, head.Identity.RecordsEnd-first, recordsChunk) != nil {
		head.RecordsLost++
		return
	}
	*at[layout.Records](h, start) = layout.Records{Slab: h.refSlab(s), Bin: s.Bin, Count: capacity}
	head.RecordsTop = start + bytes
	// Only now the bin's lock, whose holder may make no system call.
	b := h.bin(int(s.Bin))
	p := h.lockBin(b)
	s.Records = layout.Ref[layout.Records](start)
	h.unlockBin(b, p)
}

// clearRecords forgets what the blocks of an earlier slab left in the records. The slab is being made.
func (h *Heap) clearRecords(s *layout.Slab, capacity uint32) {
	if s.Records != 0 {
		clear(unsafe.Slice(h.record(s, 0), capacity))
	}
}

// recordSlabs gives records to every slab there is.
func (h *Heap) recordSlabs() {
	for offset := uint64(0); offset < h.dataUsed.Load(); offset += layout.PageBytes {
		e := *h.pageEntry(offset)
		if e.Kind() != layout.PageSlab || e.Before() != 0 {
			continue
		}
		s := h.slabOf(e)
		h.recordSlab(s, h.bin(int(s.Bin)).Capacity)
	}
}
