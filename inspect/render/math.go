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
	p.Printf("%s\n", p.Paint(strong, "are my calculations right?"))
	p.Prose("", fmt.Sprintf("geometry %s, mode %s; heap %q in %s", r.Geometry, r.Mode, r.Heap.Name, r.Heap.Owner))
	p.Printf("\n")
	var rows []table.Row
	for _, f := range r.Figures {
		rows = append(rows, table.Row{f.Name, f.Formula, f.Derived, f.Stored, p.ok(f.OK)})
	}
	p.table(table.Row{"", "from", "derived", "stored", ""}, rows, 2, 3)
	p.Printf("\n")
	notes := p.binMath(r.Bins)
	for _, b := range r.Bins {
		for _, v := range b.Wrong {
			p.Prose("", fmt.Sprintf("bin %d: %s is %s, derived %s (%s)", b.Bin, v.Field, p.Paint(damaged, v.Found), v.Expected, v.Why))
		}
	}
	notes = append(notes, r.Notes...)
	if len(notes) > 0 {
		p.Printf("\n")
	}
	for _, n := range notes {
		p.note(n)
	}
	p.Printf("\n")
	if r.Wrong > 0 {
		p.Prose("", fmt.Sprintf("%s: what the heap has stored does not follow", p.Paint(damaged, count(uint64(r.Wrong), "wrong figure"))))
		p.next(p.command("structs", "--wrong"), "the fields that hold them")
	} else {
		p.Printf("%s\n", p.Paint(live, "every figure that the heap has stored follows"))
	}
	return p.Err
}

// binMath writes a line for each bin: how its blocks come about, and in a sealed heap what the seals cost. Where the bins
// have a share of each arena, that share is worked out too. It returns what has to be said about its columns.
func (p *page) binMath(bins []inspect.BinMath) (notes []string) {
	shares, sealed := false, false
	var most inspect.BinMath // the largest of each figure: they say how wide the figures are
	for _, b := range bins {
		shares, sealed = shares || b.SlabsPerBin > 0, sealed || b.Stride != b.PlainStride
		most.SlabBytes, most.Stride, most.BlocksPerSlab = max(most.SlabBytes, b.SlabBytes), max(most.Stride, b.Stride), max(most.BlocksPerSlab, b.BlocksPerSlab)
	}
	header := table.Row{"bin", "size", "stride", "blocks a slab", "lost"}
	switch {
	case shares && sealed:
		header = append(header, "blocks a bin", "plain", "cost")
	case shares:
		header = append(header, "blocks a bin")
	case sealed:
		header = append(header, "waste ≤", "seals cost")
	default:
		header = append(header, "waste ≤")
	}
	var rows []table.Row
	for _, b := range bins {
		row := table.Row{b.Bin, b.Size, b.Stride, fmt.Sprintf("%*d / %*d = %*d", digits(most.SlabBytes), b.SlabBytes, digits(most.Stride), b.Stride, digits(most.BlocksPerSlab), b.BlocksPerSlab), b.LostBytes}
		if shares {
			row = append(row, fmt.Sprintf("%d × %*d = %#6x", b.SlabsPerBin, digits(most.BlocksPerSlab), b.BlocksPerSlab, b.BlocksPerBin))
		} else {
			row = append(row, fmt.Sprintf("%.1f %%", b.WastePercent))
		}
		switch {
		case shares && sealed:
			row = append(row, fmt.Sprintf("%#x", b.PlainPerBin), percent(b.PlainPerBin-min(b.BlocksPerBin, b.PlainPerBin), b.PlainPerBin))
		case sealed: // the slabs would be of other sizes without seals: what counts is their part of each block
			row = append(row, percent(b.Stride-b.PlainStride, b.Stride))
		}
		rows = append(rows, append(row, p.ok(b.OK)))
	}
	p.table(append(header, ""), rows, 0, 1, 2, 3, 4, 5, 6, 7)
	if shares && sealed {
		notes = append(notes, "plain is what the bin holds in a heap without seals, cost the part of it that the seals take")
	}
	return notes
}

func percent(part, whole uint64) string {
	return fmt.Sprintf("%.0f %%", 100*float64(part)/float64(max(whole, 1)))
}

func digits(n uint64) int { return len(fmt.Sprint(n)) }

func (p *page) ok(ok bool) string {
	if ok {
		return p.Paint(live, "ok")
	}
	return p.Paint(damaged, "WRONG")
}
