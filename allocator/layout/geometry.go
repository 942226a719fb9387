package layout

import "fmt"

// The fixed figures of every heap.
const (
	PageBytes     = 4096
	ArenaBytes    = 1 << 20
	PagesPerArena = ArenaBytes / PageBytes

	// MaxBins is how many size classes a geometry may have.
	MaxBins = 95
	// MaxCaches is how many Ps may have a cache of their own; further ones go to the bins directly.
	MaxCaches = 1024
	// MaxClassBytes is the largest block a size class may have, without its seal.
	MaxClassBytes = 32 << 10
	// ClassGrain is the step of the table from sizes to classes, and the least alignment of a block, in bytes.
	ClassGrain = 8
)

// Geometry names a table of size classes.
type Geometry uint32

const (
	// GeometryDefault has classes from 8 B to 32 KiB: every 8 bytes up to 128, then eight to each doubling, so that a
	// request wastes at most 7 bytes or an eighth of its block; slabs lose at most an eighth of their pages.
	GeometryDefault Geometry = iota
	// GeometryNotes is the geometry of the lecture notes that this project grew from: 8 bins doubling from 8 to 1024 B,
	// slabs of one page, and a share of 32 slabs of each arena for each bin, beyond which it borrows.
	GeometryNotes
	// GeometryAligned is for C: every block starts at a multiple of 16 bytes, as malloc promises. It has the classes of
	// GeometryDefault, each enlarged until its stride is a multiple of 16.
	GeometryAligned
	geometries
)

// String is the name by which options and commands know the geometry.
func (g Geometry) String() string {
	switch g {
	case GeometryDefault:
		return "default"
	case GeometryNotes:
		return "notes"
	case GeometryAligned:
		return "aligned"
	}
	return fmt.Sprintf("geometry %d", uint32(g))
}

// ParseGeometry is the inverse of String.
func ParseGeometry(name string) (Geometry, error) {
	for g := range geometries {
		if g.String() == name {
			return g, nil
		}
	}
	return 0, fmt.Errorf("no geometry is called %q: choose default, notes or aligned", name)
}

// Valid reports whether g is a geometry of this version.
func (g Geometry) Valid() bool { return g < geometries }

// Grain is the alignment of every block, in bytes.
func (g Geometry) Grain() uint64 {
	if g == GeometryAligned {
		return alignedGrain
	}
	return ClassGrain
}

const alignedGrain = 16

// Class is one size class: the figures that a Bin starts with. Sizes are in bytes.
type Class struct {
	Size      uint32 // what a user may write in a block
	Stride    uint32 // from one block to the next: Size and the seal
	SlabPages uint32 // pages in a slab
	Capacity  uint32 // blocks in a slab
	Magazine  uint32 // blocks in a full magazine: even, so that half of it is a batch
	Share     uint32 // slabs of each arena that are the bin's own before it borrows; 0: it may take what it finds
}

// Classes derives the size classes of a geometry, smallest first, for blocks that end in a seal of sealBytes (0: plain).
func Classes(g Geometry, sealBytes uint32) []Class {
	var sizes []uint32
	switch g {
	case GeometryNotes:
		sizes = notesSizes()
	case GeometryAligned:
		sizes = alignedSizes(sealBytes)
	default:
		sizes = defaultSizes()
	}
	classes := make([]Class, len(sizes))
	for i, size := range sizes {
		stride := size + sealBytes
		pages := defaultSlabPages(stride)
		share := uint32(0)
		if g == GeometryNotes {
			pages = 1
			share = PagesPerArena / uint32(len(sizes))
		}
		classes[i] = Class{
			Size: size, Stride: stride, SlabPages: pages, Capacity: pages * PageBytes / stride,
			Magazine: magazineCapacity(stride), Share: share,
		}
	}
	return classes
}

func notesSizes() (sizes []uint32) {
	for size := uint32(8); size <= 1024; size *= 2 {
		sizes = append(sizes, size)
	}
	return sizes
}

func defaultSizes() (sizes []uint32) {
	for size := uint32(8); size <= 128; size += 8 {
		sizes = append(sizes, size)
	}
	for base := uint32(128); base < MaxClassBytes; base *= 2 {
		for eighth := uint32(1); eighth <= 8; eighth++ {
			sizes = append(sizes, base+base/8*eighth)
		}
	}
	return sizes
}

func alignedSizes(sealBytes uint32) (sizes []uint32) {
	for _, size := range defaultSizes() {
		size = min((size+sealBytes+alignedGrain-1)&^(alignedGrain-1), MaxClassBytes) - sealBytes
		if len(sizes) == 0 || size > sizes[len(sizes)-1] {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

// defaultSlabPages is the smallest slab of at least 16 KiB, more for large blocks, that loses at most an eighth at its end.
func defaultSlabPages(stride uint32) uint32 {
	want := min(max(32*stride, 16<<10), 64<<10)
	for pages := (want + PageBytes - 1) / PageBytes; ; pages++ {
		if slab := pages * PageBytes; slab >= stride && slab%stride*8 <= slab {
			return pages
		}
	}
}

// magazineCapacity lets a magazine hold at most 32 KiB of blocks, as far as its array and a batch of two allow.
func magazineCapacity(stride uint32) uint32 {
	return min(max(32<<10/stride&^1, 4), MagazineBlocks)
}
