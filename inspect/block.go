package inspect

import (
	"encoding/binary"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

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
			b.Allocated, b.Freed = h.operations(r, h.wasFreed(&b, r))
		}
	}
	return &b
}

// examineSeal is examineBlock without the record: recorded says that the seal calls it true. A seal that is written over says nothing:
// then the record is the best guess there is.
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
			b.Aligned = report.Sealed{Address: address, Secret: h.id.Secret, Bytes: data}.AlignedAt(b.Requested)
			b.Requested -= b.Aligned
			if b.Aligned == 0 && b.Seal == SealIntact && !h.blind {
				b.Seal = SealMark
			}
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
		} else if !place.Free() && place != PlaceWithdrawn {
			b.Seal = SealWrong
		}
	}
	return b, !belongs && place != PlaceVirgin || belongs && seal.State().Recorded()
}

// known reports whether a state is one that a seal can tell.
func known(s layout.State) bool { return s.Live() || s.Free() || s == layout.StateQuarantined }
