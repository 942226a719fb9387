package layout

import "unsafe"

// Bin is one size class: its figures, the slabs that have room, and the depot, where magazines of blocks wait for a P
// that runs dry (Bonwick and Adams, "Magazines and Vmem", USENIX 2001).
//
// Everything below Lock is written by the holder of Lock; the figures above it are constant.
type Bin struct {
	ID              uint32
	Size            uint32   // bytes a user may write in a block
	Stride          uint32   // bytes from block to block
	SlabPages       uint32   // pages of a slab
	Capacity        uint32   // blocks of a slab
	Magazine        uint32   // blocks of a full magazine
	Share           uint32   // slabs of each arena before the bin borrows; 0: no share
	DescriptorBytes uint32   // of a Slab with its links
	_               [32]byte // the next line of the processor's cache is the one that changes

	Lock           Lock
	Partial        Ref[Slab]     // slabs with room, some of their blocks out
	Empty          Ref[Slab]     // slabs with no block out
	Retired        Ref[Slab]     // descriptors of slabs given back, to use again
	Depot          Ref[Magazine] // batches of free blocks
	DepotEmpty     Ref[Magazine] // magazines with nothing in them, to use again
	SlabCount      uint32        // slabs with pages
	EmptyCount     uint32        // of these, on Empty
	RetiredCount   uint32        // on Retired
	DepotCount     uint32        // magazines on Depot
	DepotSpare     uint32        // magazines on DepotEmpty
	WithdrawnCount uint32        // blocks that were found damaged and are never handed out again
	CarvedBlocks   uint64        // blocks that have ever been handed out, in all slabs
	FreeBlocks     uint64        // blocks on the slabs' free lists
	DepotBlocks    uint64        // blocks in the depot
	LentBlocks     int64         // blocks brought into magazines less those brought back: live and cached ones
	_              [24]byte
}

// BinBytes is the size of a Bin.
const BinBytes = uint64(unsafe.Sizeof(Bin{}))

// Class is the part of the bin that never changes.
func (b *Bin) Class() Class {
	return Class{Size: b.Size, Stride: b.Stride, SlabPages: b.SlabPages, Capacity: b.Capacity, Magazine: b.Magazine, Share: b.Share}
}

// Borrowed is how many slabs the bin holds beyond its share of the arenas.
func (b *Bin) Borrowed(arenas uint64) uint64 {
	if own := uint64(b.Share) * arenas; b.Share != 0 && uint64(b.SlabCount) > own {
		return uint64(b.SlabCount) - own
	}
	return 0
}
