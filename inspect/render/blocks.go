package render

import (
	"fmt"
	"io"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
)

// Blocks writes the blocks of a slab.
func Blocks(w io.Writer, r *inspect.BlocksReport, s Style, all bool) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	if r.Slab != nil {
		p.Prose("", fmt.Sprintf("slab %d, bin %d, blocks of %d B, %d of %d live", r.Slab.Slab, r.Slab.Bin, r.Slab.Size, r.Slab.Live, r.Slab.Capacity))
	} else if len(r.Blocks) > 0 {
		p.Prose("", fmt.Sprintf("span %d, which is one large block", r.Blocks[0].Slab))
		defer p.Operations(r.Blocks[0], "")
	}
	p.Printf("\n")
	header := table.Row{"block", "address", "place", "asked for", "seal"}
	if r.Slab != nil && r.Heap.Mode == layout.ModePlain.String() {
		header = header[:3] // without seals nobody knows what was asked for
	}
	who := r.Slab != nil && slices.ContainsFunc(r.Blocks, func(b *inspect.Block) bool { return lastOperation(b) != nil })
	if who {
		header = append(header, "goroutine", "operation")
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
		row := table.Row{b.Index, b.Address, p.place(b.Place), asked, p.seal(b.Seal), "", ""}
		if o := lastOperation(b); o != nil {
			row[5], row[6] = goroutine(o), number(o.Sequence)
		}
		rows = append(rows, row[:len(header)])
	}
	if len(rows) > 0 {
		p.table(header, rows, 0, 3, 5, 6)
	}
	if left > 0 {
		if len(rows) > 0 {
			p.Printf("\n")
		}
		p.Printf("%s %s never handed out: --all lists %s\n", count(left, "block"), agree(left, "was", "were"), agree(left, "it", "them"))
	}
	if who {
		p.Printf("\n")
		p.Prose("", "Goroutine and operation are those that freed the block, or that allocated it if nobody has freed it since.")
		p.next(p.command("whatis", r.Blocks[0].Address.String()), "both, and their stacks")
	}
	return p.Err
}

// place is the word for a place, in its colour.
func (p *page) place(place inspect.Place) string {
	switch place {
	case inspect.PlaceLive, inspect.PlaceInFlight:
		return p.Paint(live, place.String())
	case inspect.PlaceCached, inspect.PlaceDepot:
		return p.Paint(cached, place.String())
	case inspect.PlaceQuarantined:
		return p.Paint(unsure, place.String())
	case inspect.PlaceLost, inspect.PlaceWithdrawn:
		return p.Paint(damaged, place.String())
	}
	return p.Paint(dim, place.String())
}

// seal says what a block's seal looks like.
func (p *page) seal(s inspect.SealState) string {
	switch s {
	case inspect.SealNone, inspect.SealUnknown:
		return p.Paint(dim, "–")
	case inspect.SealIntact:
		return "intact"
	case inspect.SealSlack:
		return p.Paint(damaged, "intact, slack damaged")
	case inspect.SealPoison:
		return p.Paint(damaged, "intact, poison damaged")
	case inspect.SealMark:
		return p.Paint(damaged, "intact, mark damaged")
	case inspect.SealWrong:
		return p.Paint(damaged, "contradicts the lists")
	}
	return p.Paint(damaged, string(s))
}
