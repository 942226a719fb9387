package render

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
)

// Blocks writes the blocks of a slab.
func Blocks(w io.Writer, r *inspect.BlocksReport, s Style, all bool) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	if r.Slab != nil {
		p.prose("", fmt.Sprintf("slab %d, bin %d, blocks of %d B, %d of %d live", r.Slab.Slab, r.Slab.Bin, r.Slab.Size, r.Slab.Live, r.Slab.Capacity))
	} else if len(r.Blocks) > 0 {
		p.prose("", fmt.Sprintf("span %d, which is one large block", r.Blocks[0].Slab))
	}
	p.printf("\n")
	header := table.Row{"block", "address", "place", "asked for", "seal"}
	if r.Slab != nil && r.Heap.Mode == layout.ModePlain.String() {
		header = header[:3] // without seals nobody knows what was asked for
	}
	var rows []table.Row
	left := uint64(0)
	for _, b := range r.Blocks {
		if b.Place == inspect.PlaceVirgin && !all {
			left++
			continue
		}
		asked := "–"
		if b.Requested >= 0 {
			asked = fmt.Sprint(b.Requested)
		}
		rows = append(rows, table.Row{b.Index, b.Address, p.place(b.Place), asked, p.seal(b.Seal)}[:len(header)])
	}
	if len(rows) > 0 {
		p.table(header, rows, 0, 3)
	}
	if left > 0 {
		if len(rows) > 0 {
			p.printf("\n")
		}
		p.printf("%s %s never handed out: --all lists %s\n", count(left, "block"), agree(left, "was", "were"), agree(left, "it", "them"))
	}
	return p.err
}

// place is the word for a place, in its colour.
func (p *page) place(place inspect.Place) string {
	switch place {
	case inspect.PlaceLive, inspect.PlaceInFlight:
		return p.paint(live, place.String())
	case inspect.PlaceCached, inspect.PlaceDepot:
		return p.paint(cached, place.String())
	case inspect.PlaceLost, inspect.PlaceWithdrawn:
		return p.paint(damaged, place.String())
	}
	return p.paint(dim, place.String())
}

// seal says what a block's seal looks like.
func (p *page) seal(s inspect.SealState) string {
	switch s {
	case inspect.SealNone, inspect.SealUnknown:
		return p.paint(dim, "–")
	case inspect.SealIntact:
		return "intact"
	case inspect.SealSlack:
		return p.paint(damaged, "intact, slack damaged")
	case inspect.SealWrong:
		return p.paint(damaged, "contradicts the lists")
	}
	return p.paint(damaged, string(s))
}
