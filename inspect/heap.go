package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// Heap is a heap as it was at one moment: its structs, copied and linked up, and its target for the blocks' bytes. It is
// made by Open and does not change; it may be read by several goroutines.
type Heap struct {
	target  target.Target
	program *Program // nil: stacks have no names
	*capture
	blind   bool // the users' bytes are not there: of blocks, only seals can be read
	classes []layout.Class

	bins   []*Bin
	caches []*cache
	arenas []*arena
	slabs  []*Slab // by address
	fresh  []Slab  // for the next ones
	spans  []*Span // by address

	slabOfPage      []int32 // by page from the first arena: 1 + index into slabs; 0: no slab
	pieces          []piece // of the descriptors: everything that was found to lie there
	descriptorBytes uint64  // that the pieces cover
	journals        []*journal
	stacks          *stackTable // nil: the heap was never audited
	guards          *guardPool  // nil: nothing was ever guarded
	recordBytes     uint64      // of the records that slabs name
	retiredSpans    int
	quarantined     spanQuarantine
	onLists         []listed        // structs that only a list leads to
	strays          map[uint64]bool // addresses of slabs and spans whose base is not that of the run which names them
	problems        problems        // what decoding came upon
}

// Bin is a size class with its slabs.
type Bin struct {
	layout.Bin
	Address Address

	slabs       []*Slab
	depot       []*magazine
	spare       int
	retired     int
	empty       int
	listsBroken bool // a list could not be walked to its end
}

// arena is one arena with what its page entries say.
type arena struct {
	layout.Arena
	address Address
	facts   layout.ArenaFacts
}

// cache is what one P keeps for itself.
type cache struct {
	layout.Cache
	address   Address
	magazines []*magazine // by bin
}

// magazine is an array of free blocks, in a cache or in a depot.
type magazine struct {
	layout.Magazine
	address Address
	name    string
	depot   bool
}

// count is how many of the magazine's blocks are in use, as far as there can be that many.
func (m *magazine) count() int { return min(m.Tally.Count(), layout.MagazineBlocks) }

// Slab is one page run of equal blocks. Where it lies and how it is cut follows from the page map and the geometry, not from
// the struct, which may be damaged.
type Slab struct {
	layout.Slab
	Address Address // of the struct

	page      int    // of its first page, from the first arena: also its number in every output
	base      uint64 // address of block 0
	bin       int
	pages     int // by the page map
	class     *layout.Class
	links     []byte
	tail      []byte // of the descriptor, behind the links
	onPartial bool
	onEmpty   bool
	cached    []cachedBlock
	recorded  bool // its records were found
}

// cachedBlock is a block that a magazine or a quarantine names.
type cachedBlock struct {
	magazine *magazine // that names it; nil: a journal's quarantine does
	index    uint32
	hand     int32 // 1 + the P in whose hands it may be: the last of its magazine, or the one that it moves; 0: nobody's
	journal  uint16
	entry    uint16 // of the magazine's Blocks, or of the Quarantine
	place    Place
}

// field is how outputs call the field that names the block, and owner the struct whose it is.
func (b cachedBlock) field() string {
	if b.magazine == nil {
		return fmt.Sprintf("Quarantine[%d]", b.entry)
	}
	return fmt.Sprintf("Blocks[%d]", b.entry)
}

func (b cachedBlock) owner() string {
	if b.magazine == nil {
		return fmt.Sprintf("Journal %d", b.journal)
	}
	return b.magazine.name
}

// Span is one large allocation.
type Span struct {
	layout.Span
	Address Address // of the struct

	page   int
	base   uint64
	pages  int // by the page map; for a huge span, of its arenas
	guards int // by the page map
	huge   bool
	held   bool // it is on the header's list of quarantined spans
}

// spanQuarantine is what was found along the header's list of quarantined spans.
type spanQuarantine struct {
	spans, pages uint64
	last         layout.Ref[layout.Span]
}

// name is how outputs call the struct.
func (b *Bin) name() string   { return fmt.Sprintf("Bin %d", b.ID) }
func (s *Slab) name() string  { return fmt.Sprintf("Slab %d", s.page) }
func (s *Span) name() string  { return fmt.Sprintf("Span %d", s.page) }
func (a *arena) name() string { return fmt.Sprintf("Arena %d", a.facts.ID) }
func (c *cache) name(i int) string {
	return fmt.Sprintf("Cache %d", i)
}

// carved is how many blocks of the slab were ever handed out, as far as it can have that many.
func (s *Slab) carved() int { return int(min(uint32(s.Carved), s.class.Capacity)) }

func (s *Slab) capacity() int { return int(s.class.Capacity) }

func (s *Slab) blockAddress(index int) uint64 { return s.base + uint64(index)*uint64(s.class.Stride) }

// link is the link of a block; the descriptor was seen to be long enough.
func (s *Slab) link(index int) layout.Link {
	return layout.Link(uint16(s.links[2*index]) | uint16(s.links[2*index+1])<<8)
}

// sealed reports whether the heap's blocks end in seals.
func (h *Heap) sealed() bool { return h.id.SealBytes != 0 }

// Sound reports whether the header could be believed. If not, only Check and Structs have something to say.
func (h *Heap) Sound() bool { return h.sound }

// Identity is what never changes about the heap.
func (h *Heap) Identity() layout.Identity { return h.id }

// Target is where the heap was read from.
func (h *Heap) Target() target.Description { return h.target.Description() }

// held reports whether some lock of the heap was held when it was looked at: what it guards may have been changing.
func (h *Heap) held() bool {
	if h.header.PagesLock.Held() {
		return true
	}
	for _, b := range h.bins {
		if b.Lock.Held() {
			return true
		}
	}
	return false
}

// slabAt is the slab that the byte at address belongs to; nil: none.
func (h *Heap) slabAt(address uint64) *Slab {
	page := (address - h.id.Data) / layout.PageBytes
	if address < h.id.Data || page >= uint64(len(h.slabOfPage)) || h.slabOfPage[page] == 0 {
		return nil
	}
	return h.slabs[h.slabOfPage[page]-1]
}

// spanAt is the live span whose pages or guard pages hold the byte at address; nil: none.
func (h *Heap) spanAt(address uint64) *Span {
	low, high := 0, len(h.spans)
	for low < high {
		if middle := (low + high) / 2; h.spans[middle].base <= address {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return nil
	}
	if s := h.spans[low-1]; address-s.base < uint64(s.pages+s.guards)*layout.PageBytes {
		return s
	}
	return nil
}

// read fills buf with the bytes at address; what is not there reads as zero. The error says that the target failed.
func (h *Heap) read(buf []byte, address uint64) error {
	n, err := h.target.ReadAt(buf, int64(address-h.id.Base))
	if n < len(buf) {
		clear(buf[n:])
		if err != nil && !isEnd(err) {
			return fmt.Errorf("the memory at %s can't be read: %w", Address(address), err)
		}
	}
	return nil
}
