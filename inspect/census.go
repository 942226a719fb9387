package inspect

import (
	"fmt"
	"slices"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Place says where a block is, by the one list that it is on.
type Place uint8

// The places of a block.
const (
	PlaceVirgin      Place = iota // was never handed out
	PlaceLive                     // on no list: the user has it
	PlaceFree                     // on its slab's free list
	PlaceCached                   // in a P's magazine
	PlaceDepot                    // in a magazine of the bin's depot
	PlaceInFlight                 // on top of a P's magazine while an Alloc or a Free is under way
	PlaceWithdrawn                // found damaged, out of use for ever
	PlaceLost                     // free by its link, but on no list
	PlaceQuarantined              // freed in audit mode and held back
)

var placeNames = [...]string{"virgin", "live", "free", "cached", "depot", "in-flight", "withdrawn", "lost", "quarantined"}

// String is the word that every output uses.
func (p Place) String() string { return placeNames[p] }

// MarshalText is String.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (p *Place) UnmarshalText(text []byte) error {
	i := slices.Index(placeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is no place of a block", text)
	}
	*p = Place(i)
	return nil
}

// free reports whether a block in this place carries a free block's seal.
func (p Place) free() bool {
	return p == PlaceFree || p == PlaceCached || p == PlaceDepot || p == PlaceQuarantined
}

// census tells the place of each block of one slab, and counts.
type census struct {
	places      []Place // by block
	hands       []hand  // blocks that may be in somebody's hands
	freeList    int
	live        int
	cached      int // in the Ps' magazines
	quarantined int
	withdrawn   int
}

// onTop reports whether the bytes of a block may be changing in somebody's hands: it is on top of a P's magazine, or the newest
// of its quarantine.
func (c *census) onTop(index int) bool {
	for _, h := range c.hands {
		if h.index == uint32(index) {
			return !h.whole
		}
	}
	return false
}

// hand is a block that a P may be taking or giving back.
type hand struct {
	index uint32
	p     int32 // 1 + the P
	whole bool  // its bytes are not being changed
}

// holder is 1 + the P in whose hands a block may be; 0: in nobody's.
func (c *census) holder(index uint32) int32 {
	for _, h := range c.hands {
		if h.index == index {
			return h.p
		}
	}
	return 0
}

// count fills the census for a slab. problem, which may be nil, is called with each block that is in two places or in none.
func (c *census) count(s *Slab, problem func(index int, code Code, field, found, expected, why string)) {
	if problem == nil {
		problem = func(int, Code, string, string, string, string) {}
	}
	capacity, carved := s.capacity(), s.carved()
	if cap(c.places) < capacity {
		c.places = make([]Place, capacity)
	}
	c.places = c.places[:capacity]
	c.hands, c.freeList, c.live, c.cached, c.quarantined, c.withdrawn = c.hands[:0], 0, 0, 0, 0, 0
	for i := range capacity {
		link := s.link(i)
		place := PlaceLost // until the free list comes by
		switch link {
		case layout.LinkVirgin:
			place = PlaceVirgin
		case layout.LinkOut:
			place = PlaceLive // until a magazine claims it
			c.live++
		case layout.LinkWithdrawn:
			place = PlaceWithdrawn
			c.withdrawn++
		}
		c.places[i] = place
		if (i < carved) == (place == PlaceVirgin) {
			problem(i, CodeMetadata, fmt.Sprintf("Links[%d]", i), layout.Hex(uint64(link)), linkExpected(i < carved), fmt.Sprintf("%d blocks were ever handed out", carved))
		}
	}
	c.walkFreeList(s, problem)
	for i, place := range c.places {
		if place == PlaceLost {
			problem(i, CodeLostBlock, fmt.Sprintf("Links[%d]", i), layout.Hex(uint64(s.link(i))), "on the free list", "the link is that of a free block, and the list does not come by")
		}
	}
	for _, entry := range s.cached {
		i := int(entry.index)
		if c.places[i] != PlaceLive && entry.hand != 0 && entry.hand == c.holder(entry.index) {
			continue // on its way from the P's quarantine into its magazine
		}
		if c.places[i] != PlaceLive {
			problem(i, CodeDoubleListed, "", c.places[i].String(), "in one place", "a magazine or a quarantine has it too")
			continue
		}
		c.places[i] = entry.place
		c.live--
		switch entry.place {
		case PlaceCached:
			c.cached++
		case PlaceQuarantined:
			c.quarantined++
		}
		if entry.hand != 0 {
			c.hands = append(c.hands, hand{entry.index, entry.hand, entry.whole})
		}
	}
}

func linkExpected(carved bool) string {
	if carved {
		return "the link of a block that was handed out"
	}
	return layout.Hex(uint64(layout.LinkVirgin)) + " (never handed out)"
}

// walkFreeList follows the free list; it is as long as the slab at most.
func (c *census) walkFreeList(s *Slab, problem func(int, Code, string, string, string, string)) {
	from := -1
	next, more := uint32(s.FreeHead), s.FreeHead != layout.NoBlock
	for more {
		expected, why := "", ""
		switch {
		case next >= uint32(len(c.places)):
			expected, why = fmt.Sprintf("a block below %d", len(c.places)), "the free list stays in its slab"
		case c.places[next] == PlaceFree:
			expected, why = "a block that the list has not come by yet: it runs in a circle", "the free list ends"
		case c.places[next] != PlaceLost:
			expected, why = "a free block, not one that is "+c.places[next].String(), "only free blocks are on the free list"
		}
		if expected != "" {
			field := "FreeHead"
			if from >= 0 {
				field = fmt.Sprintf("Links[%d]", from)
			}
			problem(from, CodeList, field, fmt.Sprintf("block %d", next), expected, why)
			return
		}
		c.places[next] = PlaceFree
		c.freeList++
		from = int(next)
		next, more = s.link(from).Next()
	}
}
