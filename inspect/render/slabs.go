package render

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/inspect"
)

// Slabs writes the list of slabs.
func Slabs(w io.Writer, r *inspect.SlabsReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	p.Printf("\n")
	withdrawn, quarantined := false, false
	for _, b := range r.Slabs {
		withdrawn, quarantined = withdrawn || b.Withdrawn > 0, quarantined || b.Quarantined > 0
	}
	header := table.Row{"slab", "block 0", "bin", "size", "list", "blocks", "live", "cached", "free", "virgin"}
	if quarantined {
		header = append(header, "quarantined")
	}
	if withdrawn {
		header = append(header, "withdrawn")
	}
	var rows []table.Row
	var bars []share
	for _, b := range r.Slabs {
		row := table.Row{b.Slab, b.Base, b.Bin, b.Size, b.List, number(b.Capacity), p.Paint(live, number(b.Live)), p.Paint(cached, number(b.Cached)), number(b.Free), p.Paint(dim, number(b.Virgin))}
		if quarantined {
			row = append(row, p.Paint(unsure, number(b.Quarantined)))
		}
		if withdrawn {
			row = append(row, p.some(uint64(b.Withdrawn)))
		}
		rows = append(rows, row)
		bars = append(bars, share{uint64(b.Live), uint64(b.Cached), uint64(b.Capacity)})
	}
	if len(rows) > 0 {
		p.tableWithBars(header, rows, bars, 0, 2, 3, 5, 6, 7, 8, 9, 10, 11)
		p.Printf("\n")
	}
	p.Printf("%s\n", count(uint64(len(r.Slabs)), "slab"))
	p.beyond(r.Left)
	if len(r.Slabs) > 0 {
		p.next(p.command("blocks", fmt.Sprint(r.Slabs[0].Slab)), "the blocks of the first")
	}
	return p.Err
}
