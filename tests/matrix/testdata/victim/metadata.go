package main

import (
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// metadata is the structs of the heap that the cases damage.
type metadata struct {
	base  unsafe.Pointer // of the heap
	start uint64         // the same as a number
	head  *layout.Header
	bins  [2]*layout.Bin // the first two that have two slabs with room
}

func metadataOf(h *allocator.Heap) *metadata {
	start, _ := h.Range()
	b := must(h.Alloc(8)) // some pointer into the heap
	p := unsafe.Pointer(unsafe.SliceData(b))
	m := &metadata{base: unsafe.Add(p, int64(start)-int64(uintptr(p))), start: uint64(start)}
	m.head = (*layout.Header)(m.base)
	found := 0
	for i := range m.head.Identity.BinCount {
		bin := at[layout.Bin](m, uint64(m.head.Identity.Bins)+uint64(i)*layout.BinBytes)
		if found < len(m.bins) && bin.Partial != 0 && m.slab(bin.Partial).Next != 0 {
			m.bins[found] = bin
			found++
		}
	}
	if found < len(m.bins) {
		panic("the heap is not busy enough")
	}
	return m
}

// at is the struct at an address of the heap.
func at[T any](m *metadata, address uint64) *T {
	return (*T)(unsafe.Add(m.base, address-m.start))
}

func (m *metadata) slab(link layout.Ref[layout.Slab]) *layout.Slab {
	return at[layout.Slab](m, uint64(link))
}

// links are those of a slab, by block.
func (m *metadata) links(s *layout.Slab) []layout.Link {
	return unsafe.Slice(at[layout.Link](m, uint64(s.Links)), s.Capacity)
}

// lastPartial is the last slab of a bin that has room.
func (m *metadata) lastPartial(b *layout.Bin) *layout.Slab {
	s := m.slab(b.Partial)
	for n := uint32(0); s.Next != 0; n++ {
		if n == b.SlabCount {
			panic("the list has no end: it was not repaired")
		}
		s = m.slab(s.Next)
	}
	return s
}

// magazine is where the first cache keeps free blocks of a bin.
func (m *metadata) magazine(b *layout.Bin) *layout.Magazine {
	return &at[layout.Cache](m, uint64(m.head.Identity.Caches)).Magazines[b.ID]
}

// page is the number of the page that an address lies in, by which slabs are named.
func (m *metadata) page(address uint64) uint64 {
	return (address - m.head.Identity.Data) / layout.PageBytes
}

func (m *metadata) slabName(s *layout.Slab) string { return fmt.Sprintf("Slab %d", m.page(s.Base)) }

// overwrite writes a wrong value into a field. It returns what is damaged, as answers name it, with what it holds now, and
// how to repair it.
func overwrite[T any](name, field string, p *T, wrong T, format string) (place string, repair func()) {
	right := *p
	*p = wrong
	return fmt.Sprintf("%s.%s="+format, name, field, wrong), func() { *p = right }
}

// overwriteLink makes the first block of a slab's free list lead to another block than it should.
func (m *metadata) overwriteLink(s *layout.Slab, next uint32) (place string, repair func()) {
	link := &m.links(s)[s.FreeHead]
	_, repair = overwrite("", "", link, layout.LinkTo(next), "%d")
	return fmt.Sprintf("%s.Links[%d]=block %d", m.slabName(s), s.FreeHead, next), repair
}

func (m *metadata) magazineName(b *layout.Bin) string {
	return fmt.Sprintf("Magazine %d of cache 0", b.ID)
}

// cases is what each case damages.
var cases = map[string]func(*metadata) (place string, repair func()){
	"meta_slab_free_list_link": func(m *metadata) (string, func()) {
		s := m.slab(m.bins[0].Partial)
		return m.overwriteLink(s, uint32(s.Capacity)+5) // a block that there is not
	},
	"meta_slab_free_count": func(m *metadata) (string, func()) {
		s := m.slab(m.bins[0].Partial)
		return overwrite(m.slabName(s), "FreeCount", &s.FreeCount, s.FreeCount+3, "%d")
	},
	"meta_slab_stride": func(m *metadata) (string, func()) {
		s := m.slab(m.bins[0].Partial)
		return overwrite(m.slabName(s), "Stride", &s.Stride, 0, "%d")
	},
	"meta_bin_partial_list_made_a_cycle": func(m *metadata) (string, func()) {
		b := m.bins[0]
		s := m.lastPartial(b)
		return overwrite(m.slabName(s), "Next", &s.Next, b.Partial, "%#x")
	},
	"meta_bin_list_into_another_bin": func(m *metadata) (string, func()) {
		s := m.lastPartial(m.bins[0])
		return overwrite(m.slabName(s), "Next", &s.Next, m.bins[1].Partial, "%#x")
	},
	"meta_magazine_count": func(m *metadata) (string, func()) {
		b := m.bins[0]
		g := m.magazine(b)
		return overwrite(m.magazineName(b), "Tally", &g.Tally, g.Tally+1, "%#x")
	},
	"meta_magazine_entry_twice": func(m *metadata) (string, func()) {
		b := m.bins[0]
		g := m.magazine(b)
		return overwrite(m.magazineName(b), "Blocks[1]", &g.Blocks[1], g.Blocks[0], "%#x")
	},
	"meta_arena_page_run_map": func(m *metadata) (string, func()) {
		page := m.page(m.slab(m.bins[0].Partial).Base) + 1 // the second of its run
		e := at[layout.PageEntry](m, uint64(m.head.Identity.PageMap)+page*layout.PageEntryBytes)
		return overwrite(fmt.Sprintf("PageEntry %d", page), "(entry)", e, *e^0x40<<32, "%#x")
	},
	"meta_header_magic": func(m *metadata) (string, func()) {
		return overwrite("Header.Identity", "Magic", &m.head.Identity.Magic, 0x454c424952524554, "%#x")
	},
	"meta_header_version": func(m *metadata) (string, func()) {
		return overwrite("Header.Identity", "Version", &m.head.Identity.Version, 99, "%d")
	},
	"meta_header_geometry": func(m *metadata) (string, func()) {
		return overwrite("Header.Identity", "Geometry", &m.head.Identity.Geometry, 77, "%v")
	},
	"meta_header_arenas_used": func(m *metadata) (string, func()) {
		return overwrite("Header", "ArenasUsed", &m.head.ArenasUsed, 1<<40, "%d")
	},
	"meta_header_caches_ready": func(m *metadata) (string, func()) {
		return overwrite("Header", "CachesReady", &m.head.CachesReady, m.head.CachesReady+1, "%d")
	},
	"meta_schema_bytes": func(m *metadata) (string, func()) {
		schema := unsafe.Slice(at[byte](m, m.head.Identity.Schema), m.head.Identity.SchemaBytes)
		_, repair := overwrite("", "", &schema[400], schema[400]^1, "%d")
		return fmt.Sprintf("Header.Identity.SchemaHash=%#x", layout.Hash(schema)), repair
	},
	"meta_freelist_repair": func(m *metadata) (string, func()) {
		s := m.slab(m.bins[1].Partial)
		return m.overwriteLink(s, uint32(s.FreeHead)) // a circle
	},
}
