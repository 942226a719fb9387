package inspect

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/glassheap/glassheap/allocator/layout"
)

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

// onTop reports whether a block may be in somebody's hands: on top of a P's magazine, or on its way into or
// out of its quarantine.
func (c *census) onTop(index int) bool {
	return c.holder(uint32(index)) != 0
}

// hand is a block that a P may be taking or giving back.
type hand struct {
	index uint32
	p     int32 // 1 + the P
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
	c.hands, c.freeList, c.live, c.cached, c.quarantined, c.withdrawn = c.hands[:0], 0, 0, 0, 0, 0
	waiting := 0 // links that say free: the free list should come by each
	for i := 0; i < capacity; i++ {
		// Most blocks of most heaps are out: four links at a time.
		for i+4 <= carved && binary.LittleEndian.Uint64(s.links[2*i:]) == fourOut {
			four := c.places[i : i+4]
			four[0], four[1], four[2], four[3] = PlaceLive, PlaceLive, PlaceLive, PlaceLive
			c.live += 4
			i += 4
		}
		if i == capacity {
			break
		}
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
		default:
			waiting++
		}
		c.places[i] = place
		if (i < carved) == (place == PlaceVirgin) {
			problem(misfit{i, CodeMetadata, "", fmt.Sprintf("Links[%d]", i), layout.Hex(uint64(link)), linkExpected(i < carved), fmt.Sprintf("%d blocks were ever handed out", carved)})
		}
	}
	c.walkFreeList(s, problem)
	if c.freeList < waiting {
		for i, place := range c.places {
			if place == PlaceLost {
				problem(misfit{i, CodeLostBlock, "", fmt.Sprintf("Links[%d]", i), layout.Hex(uint64(s.link(i))), "on the free list", "the link is that of a free block, and the list does not come by"})
			}
		}
	}
	var first map[uint32]cachedBlock // made when it is needed: hardly ever
	for _, entry := range s.cached {
		i := int(entry.index)
		if c.places[i] != PlaceLive && entry.hand != 0 && entry.hand == c.holder(entry.index) {
			continue // on its way from the P's quarantine into its magazine
		}
		if c.places[i] != PlaceLive {
			if first == nil {
				first = s.firstEntries()
			}
			has := first[entry.index]
			problem(misfit{i, CodeDoubleListed, entry.owner(), entry.field(), layout.Hex(s.blockAddress(i)),
				"a block that no magazine has yet", has.field() + " of " + has.owner() + " has it"})
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
			c.hands = append(c.hands, hand{entry.index, entry.hand})
		}
	}
}

// fourOut are the links of four blocks that are out.
const fourOut = uint64(layout.LinkOut) * 0x0001_0001_0001_0001

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
