package inspect

import (
	"context"
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/query"
)

// BinRow is one bin in numbers of blocks.
type BinRow struct {
	Bin         int     `json:"bin"`
	Address     Address `json:"address"` // of the struct
	Size        uint32  `json:"size"`    // bytes that can be written in a block
	Stride      uint32  `json:"stride"`  // bytes from block to block
	Capacity    uint32  `json:"capacity"`
	Slabs       int     `json:"slabs"`
	Empty       int     `json:"empty_slabs"`
	Blocks      uint64  `json:"blocks"` // of all slabs
	Live        uint64  `json:"live"`
	Cached      uint64  `json:"cached"` // in the Ps' magazines
	Depot       uint64  `json:"depot"`
	Free        uint64  `json:"free"`   // on the slabs' free lists
	Virgin      uint64  `json:"virgin"` // never handed out
	Withdrawn   uint64  `json:"withdrawn"`
	Quarantined uint64  `json:"quarantined,omitempty"`    // freed and held back
	Borrowed    uint64  `json:"borrowed_slabs,omitempty"` // beyond the bin's share of the arenas
	Locked      bool    `json:"locked,omitempty"`
}

// BinsReport lists the bins.
type BinsReport struct {
	Heap Summary  `json:"heap"`
	Bins []BinRow `json:"bins"`
	Left int      `json:"left,omitempty"` // that match a query and are beyond its limit
}

// Select leaves in the list what a query selects.
func (r *BinsReport) Select(q *query.Query[BinRow]) (err error) {
	r.Bins, r.Left, err = q.From(r.Bins)
	return err
}

// Bins lists all bins.
func (h *Heap) Bins(ctx context.Context) (*BinsReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	result, err := pass{}.run(ctx, h)
	if err != nil {
		return nil, err
	}
	return &BinsReport{Heap: h.summary(result.counts), Bins: h.binRows(&result)}, nil
}

// binRows is what a pass counted in each bin.
func (h *Heap) binRows(result *passResult) (rows []BinRow) {
	for i, b := range h.bins {
		n, class := result.counts.bins[i], h.classes[i]
		row := BinRow{
			Bin: i, Address: b.Address, Size: class.Size, Stride: class.Stride, Capacity: class.Capacity, Slabs: len(b.slabs), Empty: b.empty,
			Blocks: uint64(len(b.slabs)) * uint64(class.Capacity), Live: n.live, Cached: n.cached, Free: n.free, Withdrawn: n.withdrawn, Quarantined: n.quarantined,
			Borrowed: b.Borrowed(h.header.ArenasMapped), Locked: b.Lock.Held(),
		}
		for _, m := range b.depot {
			row.Depot += uint64(m.count())
		}
		row.Virgin = row.Blocks - min(row.Blocks, n.carved)
		rows = append(rows, row)
	}
	return rows
}

// NoSuchError says that an address or a number names nothing in the heap.
type NoSuchError struct {
	What string // "slab 17"
	Hint string
}

func (e *NoSuchError) Error() string {
	return fmt.Sprintf("there is no %s in this heap: %s", e.What, e.Hint)
}

// SlabRow is one slab in numbers of blocks.
type SlabRow struct {
	Slab        int     `json:"slab"`    // its number: the page where it begins, counted from the first arena
	Base        Address `json:"base"`    // of block 0
	Struct      Address `json:"address"` // of the struct
	Bin         int     `json:"bin"`
	Arena       int     `json:"arena"`
	Pages       int     `json:"pages"`
	Size        uint32  `json:"size"` // bytes that can be written in a block
	State       string  `json:"state"`
	Capacity    int     `json:"capacity"`
	Live        int     `json:"live"`
	Cached      int     `json:"cached"` // in magazines, depot included
	Free        int     `json:"free"`
	Virgin      int     `json:"virgin"`
	Withdrawn   int     `json:"withdrawn"`
	Quarantined int     `json:"quarantined,omitempty"` // freed and held back
	List        string  `json:"list"`                  // that it is on: partial, empty, none
}

// SlabsReport lists slabs.
type SlabsReport struct {
	Heap  Summary   `json:"heap"`
	Slabs []SlabRow `json:"slabs"`
	Left  int       `json:"left,omitempty"` // that match a query and are beyond its limit
}

// Select leaves in the list what a query selects.
func (r *SlabsReport) Select(q *query.Query[SlabRow]) (err error) {
	r.Slabs, r.Left, err = q.From(r.Slabs)
	return err
}

// Slabs lists the slabs of a bin; of all bins when bin is negative.
func (h *Heap) Slabs(bin int) (*SlabsReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	if bin >= len(h.bins) {
		return nil, &NoSuchError{fmt.Sprintf("bin %d", bin), fmt.Sprintf("its bins are 0 to %d", len(h.bins)-1)}
	}
	r := &SlabsReport{Heap: h.summary(passCounts{}), Slabs: []SlabRow{}}
	var c census
	for _, s := range h.slabs {
		if bin < 0 || s.bin == bin {
			r.Slabs = append(r.Slabs, s.row(&c))
		}
	}
	return r, nil
}

func (s *Slab) row(c *census) SlabRow {
	c.count(s, nil)
	row := SlabRow{
		Slab: s.page, Base: Address(s.base), Struct: s.Address, Bin: s.bin, Arena: int(s.Arena), Pages: s.pages, Size: s.class.Size, State: s.State.String(),
		Capacity: s.capacity(), List: slabLists[0],
	}
	for _, place := range c.places {
		switch place {
		case PlaceLive:
			row.Live++
		case PlaceCached, PlaceDepot:
			row.Cached++
		case PlaceVirgin:
			row.Virgin++
		case PlaceWithdrawn:
			row.Withdrawn++
		case PlaceQuarantined:
			row.Quarantined++
		default:
			row.Free++
		}
	}
	switch {
	case s.onPartial:
		row.List = slabLists[1]
	case s.onEmpty:
		row.List = slabLists[2]
	}
	return row
}

// BlocksReport lists the blocks of one slab, or a span.
type BlocksReport struct {
	Heap   Summary  `json:"heap"`
	Slab   *SlabRow `json:"slab,omitempty"`
	Blocks []*Block `json:"blocks"`
}

// slabOrSpan finds a slab by its number (see SlabRow), or the slab or span that an address lies in.
func (h *Heap) slabOrSpan(slab uint64) (*Slab, *Span, error) {
	address := slab
	if slab < uint64(len(h.slabOfPage)) {
		address = h.id.Data + slab*layout.PageBytes
	}
	if span := h.spanAt(address); span != nil {
		return nil, span, nil
	}
	if s := h.slabAt(address); s != nil {
		return s, nil, nil
	}
	what := fmt.Sprintf("slab %d", slab)
	if slab >= h.id.Base {
		what = "slab at " + Address(slab).String()
	}
	return nil, nil, &NoSuchError{what, "`slabs` lists them, with numbers and addresses"}
}

// Blocks lists every block of the slab with this number (see SlabRow), or of the slab or span that an address lies in.
func (h *Heap) Blocks(slab uint64) (*BlocksReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	r := &BlocksReport{Heap: h.summary(passCounts{})}
	s, span, err := h.slabOrSpan(slab)
	if err != nil {
		return nil, err
	}
	if span != nil {
		b, err := h.examineSpan(span)
		r.Blocks = []*Block{b}
		return r, err
	}
	var c census
	row := s.row(&c)
	r.Slab = &row
	data := make([]byte, s.capacity()*int(s.class.Stride))
	if err := h.read(data, s.base); err != nil {
		return nil, err
	}
	for i := range s.capacity() {
		r.Blocks = append(r.Blocks, h.examineBlock(s, i, c.places[i], c.onTop(i), data[i*int(s.class.Stride):][:s.class.Stride]))
	}
	return r, nil
}

// examineSpan is a span as a block, its end looked at.
func (h *Heap) examineSpan(s *Span) (*Block, error) {
	f, err := h.diagnoseSpan(s)
	if err != nil {
		return nil, err
	}
	if f != nil {
		return f.Block, nil
	}
	b := h.describeSpan(s)
	b.Seal = SealIntact
	if !h.sealed() || s.held || b.Guarded { // the memory of one that is held back is given up, its seal with it; a guarded one has none
		b.Seal = SealNone
	}
	return b, nil
}
