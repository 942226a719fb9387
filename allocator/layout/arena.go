package layout

import "unsafe"

// ArenaState is what the memory of an arena is used for.
type ArenaState uint32

const (
	ArenaUnmapped ArenaState = 1 // given back to the system
	ArenaPages    ArenaState = 2 // cut into page runs
	ArenaHuge     ArenaState = 3 // first of the arenas of a huge span
	ArenaHugeTail ArenaState = 4 // further arena of a huge span
	ArenaRetained ArenaState = 5 // of a huge span that was freed: inaccessible, but it holds memory for the next use
)

// String is the word that every output uses for the state.
func (s ArenaState) String() string {
	switch s {
	case ArenaUnmapped:
		return "unmapped"
	case ArenaPages:
		return "pages"
	case ArenaHuge:
		return "huge"
	case ArenaHugeTail:
		return "huge, continued"
	case ArenaRetained:
		return "retained"
	}
	return "no state"
}

// Arena is one MiB of the data: 256 pages, handed out in runs by first fit. It is written under Header.PagesLock.
type Arena struct {
	ID         uint32
	State      ArenaState
	Base       uint64 // address of its first page
	FreePages  uint32 // pages that belong to no run
	DirtyPages uint32 // of these, how many hold memory of the system; ArenaRetained: all
	SlabCount  uint32 // slabs that lie here
	SpanCount  uint32 // spans that lie here (a huge one: in its first arena)
	HugeArenas uint32 // ArenaHuge: arenas of the span, this one included
	HugeHead   uint32 // ArenaHugeTail: ID of the first arena
	_          [24]byte
}

// ArenaDescriptorBytes is the size of an Arena.
const ArenaDescriptorBytes = uint64(unsafe.Sizeof(Arena{}))

// PageKind is what a page is part of.
type PageKind uint8

const (
	PageFree  PageKind = 0 // nothing, and it holds no memory
	PageDirty PageKind = 1 // nothing, and it still holds memory of the system
	PageSlab  PageKind = 2
	PageSpan  PageKind = 3
	PageGuard PageKind = 4 // the inaccessible page behind a span
)

// String is the word that every output uses for the kind.
func (k PageKind) String() string {
	switch k {
	case PageFree:
		return "free"
	case PageDirty:
		return "free, dirty"
	case PageSlab:
		return "slab"
	case PageSpan:
		return "span"
	case PageGuard:
		return "guard"
	}
	return "no kind"
}

// PageEntry says of one page what it is part of:
//
//	bits  0..7    PageKind
//	bits  8..15   bin, for a slab's page
//	bits 16..31   how many pages of the run come before this one
//	bits 32..63   place of the Slab or Span, in units of 64 bytes from Identity.Descriptors
//
// In the arenas of a huge span only the first page of the first arena has an entry.
type PageEntry uint64

// PageEntryBytes is the size of a PageEntry.
const PageEntryBytes = uint64(unsafe.Sizeof(PageEntry(0)))

// DescriptorGrain is the alignment of every descriptor, in bytes.
const DescriptorGrain = 64

// MakePageEntry composes an entry; descriptor is an offset from Identity.Descriptors in bytes.
func MakePageEntry(kind PageKind, bin uint32, before int, descriptor uint64) PageEntry {
	return PageEntry(uint64(kind) | uint64(uint8(bin))<<8 | uint64(uint16(before))<<16 | descriptor/DescriptorGrain<<32)
}

// Kind is what the page is part of.
func (e PageEntry) Kind() PageKind { return PageKind(e) }

// Bin is the bin of a slab's page.
func (e PageEntry) Bin() uint32 { return uint32(uint8(e >> 8)) }

// Before is how many pages of the run come before this one.
func (e PageEntry) Before() int { return int(uint16(e >> 16)) }

// InSlab is how many bytes of a slab come before the one that lies on this page of it, offset bytes from the first arena.
func (e PageEntry) InSlab(offset uint64) uint32 {
	return uint32(offset&(PageBytes-1)) + uint32(e.Before())*PageBytes
}

// Descriptor is the offset of the Slab or Span from Identity.Descriptors, in bytes.
func (e PageEntry) Descriptor() uint64 { return uint64(e>>32) * DescriptorGrain }
