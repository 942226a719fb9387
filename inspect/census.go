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
	PlaceVirgin    Place = iota // was never handed out
	PlaceLive                   // on no list: the user has it
	PlaceFree                   // on its slab's free list
	PlaceCached                 // in a P's magazine
	PlaceDepot                  // in a magazine of the bin's depot
	PlaceInFlight               // on top of a P's magazine while an Alloc or a Free is under way
	PlaceWithdrawn              // found damaged, out of use for ever
	PlaceLost                   // free by its link, but on no list
)

var placeNames = [...]string{"virgin", "live", "free", "cached", "depot", "in-flight", "withdrawn", "lost"}

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
func (p Place) free() bool { return p == PlaceFree || p == PlaceCached || p == PlaceDepot }

// census tells the place of each block of one slab, and counts.
type census struct {
	places    []Place // by block
	tops      int     // blocks on top of a P's magazine: their indexes are in top
	top       [4]uint32
	freeList  int
	live      int
	cached    int // in the Ps' magazines
	withdrawn int
}

// onTop reports whether a block is on top of a P's magazine.
func (c *census) onTop(index int) bool {
	for i := range min(c.tops, len(c.top)) {
		if c.top[i] == uint32(index) {
			return true
		}
	}
	return c.tops > len(c.top) // more than are remembered: it may be
}

// misfit is a field that puts a block in two places or in none.
type misfit struct {
	index                              int // of the block; -1: none
	code                               Code
	owner, field, found, expected, why string // an owner that is not named is the slab
}

// count fills the census for a slab. problem, which may be nil, is called with each misfit.
func (c *census) count(s *Slab, problem func(misfit)) {
	if problem == nil {
		problem = func(misfit) {}
	}
	capacity, carved := s.capacity(), s.carved()
	if cap(c.places) < capacity {
		c.places = make([]Place, capacity)
	}
	c.places = c.places[:capacity]
	c.tops, c.freeList, c.live, c.cached, c.withdrawn = 0, 0, 0, 0, 0
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
			problem(misfit{i, CodeMetadata, "", fmt.Sprintf("Links[%d]", i), layout.Hex(uint64(link)), linkExpected(i < carved), fmt.Sprintf("%d blocks were ever handed out", carved)})
		}
	}
	c.walkFreeList(s, problem)
	for i, place := range c.places {
		if place == PlaceLost {
			problem(misfit{i, CodeLostBlock, "", fmt.Sprintf("Links[%d]", i), layout.Hex(uint64(s.link(i))), "on the free list", "the link is that of a free block, and the list does not come by"})
		}
	}
	var first map[uint32]cachedBlock // made when it is needed: hardly ever
	for _, entry := range s.cached {
		i := int(entry.index)
		if c.places[i] != PlaceLive {
			if first == nil {
				first = s.firstEntries()
			}
			has := first[entry.index]
			problem(misfit{i, CodeDoubleListed, entry.magazine.name, entry.field(), layout.Hex(s.blockAddress(i)),
				"a block that no magazine has yet", has.field() + " of " + has.magazine.name + " has it"})
			continue
		}
		c.places[i] = entry.place
		c.live--
		if entry.place == PlaceCached {
			c.cached++
		}
		if entry.top {
			if c.tops < len(c.top) {
				c.top[c.tops] = entry.index
			}
			c.tops++
		}
	}
}

// firstEntries finds, for each block that magazines name, the entry that is come by first.
func (s *Slab) firstEntries() map[uint32]cachedBlock {
	first := map[uint32]cachedBlock{}
	for _, entry := range slices.Backward(s.cached) {
		first[entry.index] = entry
	}
	return first
}

func linkExpected(carved bool) string {
	if carved {
		return "the link of a block that was handed out"
	}
	return layout.Hex(uint64(layout.LinkVirgin)) + " (never handed out)"
}

// walkFreeList follows the free list; it is as long as the slab at most.
func (c *census) walkFreeList(s *Slab, problem func(misfit)) {
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
			problem(misfit{from, CodeList, "", field, fmt.Sprintf("block %d", next), expected, why})
			return
		}
		c.places[next] = PlaceFree
		c.freeList++
		from = int(next)
		next, more = s.link(from).Next()
	}
}
