package render

import (
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/inspect"
)

// Bins writes the list of bins. Those without slabs are left out unless all are wanted.
func Bins(w io.Writer, r *inspect.BinsReport, s Style, all bool) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	p.Printf("\n")
	withdrawn, borrowed, quarantined := false, false, false
	for _, b := range r.Bins {
		withdrawn, borrowed = withdrawn || b.Withdrawn > 0, borrowed || b.Borrowed > 0
		quarantined = quarantined || b.Quarantined > 0
	}
	header := table.Row{"bin", "size", "stride", "slabs", "blocks", "live", "cached", "free", "virgin"}
	if quarantined {
		header = append(header, "quarantined")
	}
	if withdrawn {
		header = append(header, "withdrawn")
	}
	if borrowed {
		header = append(header, "borrowed")
	}
	var rows []table.Row
	var bars []share
	left := uint64(0)
	for _, b := range r.Bins {
		if b.Slabs == 0 && !all {
			left++
			continue
		}
		row := table.Row{b.Bin, b.Size, b.Stride, number(b.Slabs), number(b.Blocks), p.Paint(live, number(b.Live)), p.Paint(cached, number(b.Cached+b.Depot)), number(b.Free), p.Paint(dim, number(b.Virgin))}
		if quarantined {
			row = append(row, p.Paint(unsure, number(b.Quarantined)))
		}
		if withdrawn {
			row = append(row, p.some(b.Withdrawn))
		}
		if borrowed {
			row = append(row, number(b.Borrowed))
		}
		rows = append(rows, row)
		bars = append(bars, share{b.Live, b.Cached + b.Depot, b.Blocks})
	}
	if len(rows) > 0 {
		p.tableWithBars(header, rows, bars, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	}
	if left > 0 {
		if len(rows) > 0 {
			p.Printf("\n")
		}
		p.Printf("%s %s no slab: --all lists %s\n", count(left, "bin"), agree(left, "has", "have"), agree(left, "it", "them"))
	}
	p.beyond(r.Left)
	return p.Err
}

// beyond says how many rows match a query and are beyond its limit.
func (p *page) beyond(left int) {
	if left > 0 {
		p.Printf("%s more %s and %s beyond the limit\n", number(left), agree(uint64(left), "matches", "match"), agree(uint64(left), "is", "are"))
	}
}

// some shows a number that should be zero.
func (p *page) some(n uint64) string {
	if n == 0 {
		return p.Paint(dim, "0")
	}
	return p.Paint(damaged, number(n))
}
