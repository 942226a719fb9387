package inspect

import (
	"encoding/binary"

	"github.com/glassheap/glassheap/allocator/layout"
)

// SealState says what a block's seal looks like.
type SealState string

// The states of a seal.
const (
	SealNone    SealState = "none"    // the heap is plain, or the block was never handed out
	SealIntact  SealState = "intact"  // it is the block's own, and so are the bytes before it
	SealBroken  SealState = "broken"  // it carries another hash than the block's
	SealWrong   SealState = "wrong"   // it is the block's own, but says something else than the lists do
	SealSlack   SealState = "slack"   // it is the block's own, but the pattern before it was written over
	SealPoison  SealState = "poison"  // it is that of a freed block, whose poison was written over
	SealUnknown SealState = "unknown" // not looked at
)

// Block is one block of a slab, or a whole span, as tools show it. Sizes are in bytes.
type Block struct {
	Address   Address   `json:"address"`
	Place     Place     `json:"place"`
	Bin       int       `json:"bin"`       // -1: a span
	Slab      int       `json:"slab"`      // number of the slab or span: its first page, counted from the first arena
	Index     int       `json:"index"`     // in the slab
	Arena     int       `json:"arena"`     // that it lies in
	Size      int       `json:"size"`      // that can be written: up to the seal
	Requested int       `json:"requested"` // that were asked for; -1: not known
	Aligned   int       `json:"aligned,omitempty"`
	Seal      SealState `json:"seal"`
	SealWord  Address   `json:"seal_word,omitempty"`

	Guarded   bool       `json:"guarded,omitempty"`   // it has a page of its own; Index is its guard slot
	Allocated *Operation `json:"allocated,omitempty"` // who allocated it, as far as audit mode recorded it
	Freed     *Operation `json:"freed,omitempty"`     // who freed it
}

// describeBlock is a block by its place; its seal is not looked at.
func (h *Heap) describeBlock(s *Slab, index int, place Place) *Block {
	return &Block{
		Address: Address(s.blockAddress(index)), Place: place, Bin: s.bin, Slab: s.page, Index: index, Arena: s.page / layout.PagesPerArena,
		Size: int(s.class.Size), Requested: -1, Seal: SealUnknown,
	}
}

// examineBlock looks at the bytes of a block, and at its record: data is the block with its seal.
func (h *Heap) examineBlock(s *Slab, index int, place Place, onTop bool, data []byte) *Block {
	b, recorded := h.examineSeal(s, index, place, onTop, data)
	if recorded {
		if r, ok := h.record(s, index); ok {
			b.Allocated, b.Freed = h.operations(r, layout.Seal(b.SealWord).State())
		}
	}
	return &b
}

// examineSeal is examineBlock without the record: recorded says that the seal calls it true.
func (h *Heap) examineSeal(s *Slab, index int, place Place, onTop bool, data []byte) (b Block, recorded bool) {
	b = *h.describeBlock(s, index, place)
	if !h.sealed() {
		b.Seal = SealNone
		return b, false
	}
	address, size := s.blockAddress(index), int(s.class.Size)
	seal := layout.Seal(binary.LittleEndian.Uint64(data[size:]))
	b.SealWord = Address(seal)
	belongs := seal.Belongs(address, h.id.Secret)
	switch {
	case place == PlaceVirgin:
		b.Seal = SealNone
	case !belongs || seal.State() != layout.State(seal.Unfolded()&^layout.SealHashMask) || !known(seal.State()) || int(seal.Size()) > size:
		b.Seal = SealBroken
	case seal.State() == layout.StateFree && seal.Size() != 0:
		b.Seal = SealBroken
	case seal.State().Live():
		b.Requested = int(seal.Size())
		b.Seal = SealIntact
		if !h.blind && firstDamage(data[b.Requested:size]) >= 0 {
			b.Seal = SealSlack
		}
		if onTop && b.Seal == SealIntact && (place == PlaceCached || place == PlaceQuarantined) {
			b.Place = PlaceInFlight
		} else if place != PlaceLive && place != PlaceWithdrawn {
			b.Seal = SealWrong
		}
		if seal.State().Aligned() {
			b.Aligned = h.alignedAt(address, data[:b.Requested])
			b.Requested -= b.Aligned
		}
	default:
		b.Seal = SealIntact
		if seal.State().Poisoned() {
			b.Requested = int(seal.Size())
			if !h.blind && firstUnpoisoned(data[:size]) >= 0 {
				b.Seal = SealPoison
			}
		}
		if held := seal.State() == layout.StateQuarantined && b.Seal == SealIntact; onTop && place == PlaceQuarantined && !held {
			b.Place, b.Seal = PlaceInFlight, SealIntact
		} else if !place.free() && place != PlaceWithdrawn {
			b.Seal = SealWrong
		}
	}
	return b, belongs && seal.State().Recorded()
}

// known reports whether a state is one that a seal can tell.
func known(s layout.State) bool { return s.Live() || s.Free() || s == layout.StateQuarantined }

// alignedAt is how far inside its block the user's address lies, by the mark that AllocAligned wrote before it; 0 when the
// user has written over the mark.
func (h *Heap) alignedAt(address uint64, data []byte) int {
	for offset := layout.SealBytes; offset < len(data); offset += layout.SealBytes {
		mark := layout.Seal(binary.LittleEndian.Uint64(data[offset-layout.SealBytes:]))
		if told, ok := layout.AlignmentOffset(mark, address+uint64(offset), h.id.Secret); ok && told == offset {
			return offset
		}
	}
	return 0
}

// hasStack reports whether some stack is part of what is known of the block.
func (b *Block) hasStack() bool {
	return b != nil && (b.Allocated != nil && b.Allocated.Stack != 0 || b.Freed != nil && b.Freed.Stack != 0)
}
