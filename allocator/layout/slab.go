package layout

import "unsafe"

// SlabState is where a slab is in its life.
type SlabState uint16

const (
	SlabMaking  SlabState = 1 // being made, or being given back
	SlabActive  SlabState = 2
	SlabRetired SlabState = 3 // has no pages; the descriptor waits to be used again
)

// String is the word that every output uses for the state.
func (s SlabState) String() string {
	switch s {
	case SlabMaking:
		return "making"
	case SlabActive:
		return "active"
	case SlabRetired:
		return "retired"
	}
	return "no state"
}

// Link says of one block where it is, as far as its slab knows. A slab has one for each block, behind its descriptor.
type Link uint16

const (
	LinkVirgin    Link = 0      // never handed out
	LinkOut       Link = 0xfffe // in a magazine, in the depot or live
	LinkEnd       Link = 0xffff // free, and the last of the slab's list
	LinkWithdrawn Link = 0xfffd // was found damaged; out of use for ever
	// Any other value v: free, and the next on the slab's list is block v-1.
)

// LinkTo is the link of a free block whose successor on the list is the block with this index.
func LinkTo(index uint32) Link { return Link(index + 1) }

// Next is the index of the next block on the list, if the link names one.
func (l Link) Next() (index uint32, ok bool) {
	return uint32(l) - 1, l != LinkVirgin && l < LinkWithdrawn
}

// NoBlock is the index that stands for none.
const NoBlock = 0xffff

// Slab is one page run cut into equal blocks. Its links follow it in memory, two bytes for each block, so no block holds
// anything that the allocator relies on. Blocks are carved in the order of their addresses: those at and above Carved were
// never handed out. It is written under the bin's lock; Base, Bin, Stride, Pages and Capacity do not change while it is active.
type Slab struct {
	Base      uint64 // address of block 0
	Next      Ref[Slab]
	Previous  Ref[Slab]
	Links     Ref[Link]    // address of the links
	Records   Ref[Records] // of its blocks; 0: none
	Arena     uint32
	Bin       uint32
	Stride    uint32 // bytes from block to block
	Pages     uint16
	State     SlabState
	Capacity  uint16 // blocks
	Carved    uint16 // blocks that were ever handed out
	FreeCount uint16 // blocks on the free list
	FreeHead  uint16 // index of the first of them; NoBlock: none
	Withdrawn uint16 // blocks that are out of use for ever
	_         [6]byte
}

// SlabBytes is the size of a Slab without its links.
const SlabBytes = uint64(unsafe.Sizeof(Slab{}))

// SlabDescriptorBytes is the size of a Slab with links for capacity blocks.
func SlabDescriptorBytes(capacity uint32) uint64 {
	return (SlabBytes + 2*uint64(capacity) + DescriptorGrain - 1) &^ (DescriptorGrain - 1)
}

// Empty reports whether no block of the slab is out.
func (s *Slab) Empty() bool { return s.FreeCount == s.Carved }

// Full reports whether the slab has no block to give.
func (s *Slab) Full() bool { return s.FreeCount == 0 && s.Carved == s.Capacity }
