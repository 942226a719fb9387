package render

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/inspect"
)

// Math writes the answer to "are my calculations right?".
func Math(w io.Writer, r *inspect.MathReport, s Style) error {
	p := newPage(w, s)
	p.printf("%s\n", p.paint(strong, "are my calculations right?"))
	p.printf("geometry %s, mode %s, held against heap %q in %s\n\n", r.Geometry, r.Mode, r.Heap.Name, r.Heap.Owner)
	var rows []table.Row
	for _, f := range r.Figures {
		rows = append(rows, table.Row{f.Name, f.Formula, f.Derived, f.Stored, p.ok(f.OK)})
	}
	p.table(table.Row{"", "from", "derived", "stored", ""}, rows, 2, 3)
	p.printf("\n")
	shares := len(r.Bins) > 0 && r.Bins[0].SlabsPerBin > 0
	sealed := len(r.Bins) > 0 && r.Bins[0].Stride != r.Bins[0].Size
	header := table.Row{"bin", "size", "stride", "blocks a slab", "lost", "waste ≤"}
	if shares {
		header = append(header, "blocks a bin")
	}
	if sealed {
		header = append(header, "without seals")
	}
	rows = nil
	for _, b := range r.Bins {
		row := table.Row{b.Bin, b.Size, b.Stride, fmt.Sprintf("%d / %d = %d", b.SlabBytes, b.Stride, b.BlocksPerSlab), b.LostBytes, fmt.Sprintf("%.1f %%", b.WastePercent)}
		if shares {
			row = append(row, fmt.Sprintf("%d × %d = %#x", b.SlabsPerBin, b.BlocksPerSlab, b.BlocksPerBin))
		}
		if sealed && shares {
			row = append(row, fmt.Sprintf("%#x: the seals cost %.0f %%", b.PlainPerBin, 100-100*float64(b.BlocksPerBin)/float64(b.PlainPerBin)))
		} else if sealed {
			row = append(row, fmt.Sprintf("%d a slab", b.PlainPerSlab))
		}
		rows = append(rows, append(row, p.ok(b.OK)))
	}
	p.table(append(header, ""), rows, 0, 1, 2, 3, 4, 5)
	for _, b := range r.Bins {
		for _, v := range b.Wrong {
			p.printf("bin %d: %s is %s, derived %s (%s)\n", b.Bin, v.Field, p.paint(damaged, v.Found), v.Expected, v.Why)
		}
	}
	if len(r.Notes) > 0 {
		p.printf("\n")
	}
	for _, n := range r.Notes {
		p.printf("%s %s\n", p.paint(dim, "note"), n)
	}
	p.printf("\n")
	if r.Wrong > 0 {
		p.printf("%s what the heap has stored does not follow\n", p.paint(damaged, count(uint64(r.Wrong), "figure")+":"))
		p.next(p.command("structs", "--wrong"), "the fields that hold them")
	} else {
		p.printf("%s\n", p.paint(live, "every figure that the heap has stored follows"))
	}
	return p.err
}

func (p *page) ok(ok bool) string {
	if ok {
		return p.paint(live, "ok")
	}
	return p.paint(damaged, "WRONG")
}
