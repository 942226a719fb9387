package allocator

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Off-heap structs by their addresses. This is the one place where numbers become pointers: always base + offset, which vet
// and checkptr accept, because the result stays in the mapping that base points into.

func at[T any](h *Heap, address uint64) *T {
	return (*T)(unsafe.Add(h.base, address-h.baseAddress))
}

func (h *Heap) header() *layout.Header { return (*layout.Header)(h.base) }

func (h *Heap) pointer(address uint64) unsafe.Pointer {
	return unsafe.Add(h.base, address-h.baseAddress)
}

func (h *Heap) bin(i int) *layout.Bin {
	return (*layout.Bin)(unsafe.Add(h.bins, uintptr(i)*uintptr(layout.BinBytes)))
}

func (h *Heap) cache(p int) *layout.Cache {
	return (*layout.Cache)(unsafe.Add(h.caches, uintptr(p)*uintptr(layout.CacheBytes)))
}

func (h *Heap) magazine(p int, bin uint8) *layout.Magazine {
	return (*layout.Magazine)(unsafe.Add(h.magazines, uintptr(p)*uintptr(layout.CacheBytes)+uintptr(bin)*uintptr(layout.MagazineBytes)))
}

func (h *Heap) arena(i uint64) *layout.Arena {
	return (*layout.Arena)(unsafe.Add(h.arenas, i*layout.ArenaDescriptorBytes))
}

// pageEntry is the entry of the page at offset bytes from the first arena.
func (h *Heap) pageEntry(offset uint64) *layout.PageEntry {
	return (*layout.PageEntry)(unsafe.Add(h.pageMap, offset/layout.PageBytes*layout.PageEntryBytes))
}

func (h *Heap) link(s *layout.Slab, index uint32) *layout.Link {
	return (*layout.Link)(unsafe.Add(unsafe.Pointer(s), layout.SlabBytes+2*uint64(index)))
}

func (h *Heap) journal(p int) *layout.Journal {
	return (*layout.Journal)(unsafe.Add(h.journals, uintptr(p)*uintptr(layout.JournalBytes)))
}

func (h *Heap) guardPool() *layout.GuardPool { return (*layout.GuardPool)(h.guards) }

func (h *Heap) stackTable() *layout.StackTable { return (*layout.StackTable)(h.stacks) }

// stackAt is the stack that lies offset bytes behind the table.
func (h *Heap) stackAt(offset uint64) *layout.Stack {
	return (*layout.Stack)(unsafe.Add(h.recent.stacks, offset))
}

// frames are the addresses of a stack.
func frames(s *layout.Stack) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Add(unsafe.Pointer(s), layout.StackHeadBytes)), s.Depth)
}

// record is the audit record of a slab's block; nil when the slab has none.
func (h *Heap) record(s *layout.Slab, index uint32) *layout.Record {
	if s.Records == 0 {
		return nil
	}
	return at[layout.Record](h, uint64(s.Records)+layout.RecordsBytes+uint64(index)*layout.RecordBytes)
}

func (h *Heap) slab(r layout.Ref[layout.Slab]) *layout.Slab { return at[layout.Slab](h, uint64(r)) }

func (h *Heap) refSlab(s *layout.Slab) layout.Ref[layout.Slab] {
	return layout.Ref[layout.Slab](uint64(uintptr(unsafe.Pointer(s))))
}

// slabOf is the slab that a page's entry names, which must be one of a slab.
func (h *Heap) slabOf(e layout.PageEntry) *layout.Slab {
	return at[layout.Slab](h, h.header().Identity.Descriptors+e.Descriptor())
}
