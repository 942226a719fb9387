package render

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
)

// Diff writes what changed between two heaps. Style.Target is the second one.
func Diff(w io.Writer, r *inspect.DiffReport, s Style) error {
	p := newPage(w, s)
	p.side("before", r.Before)
	p.side("after", r.After)
	p.Printf("\n")
	rows := []table.Row{{"live before", number(r.Was.Blocks), number(r.Was.Bytes)}}
	if r.SameHeap {
		rows = append(rows,
			table.Row{"freed since", p.Paint(dim, number(r.Gone.Blocks)), p.Paint(dim, number(r.Gone.Bytes))},
			table.Row{"allocated since", p.Paint(unsure, number(r.New.Blocks)), p.Paint(unsure, number(r.New.Bytes))},
			table.Row{"live both times", number(r.Kept.Blocks), number(r.Kept.Bytes)})
	}
	rows = append(rows, table.Row{"live after", number(r.Is.Blocks), number(r.Is.Bytes)})
	p.table(table.Row{"", "blocks", "bytes"}, rows, 1, 2)
	if len(r.Bins) > 0 {
		p.Printf("\n")
		p.diffBins(r.Bins)
	}
	for i, g := range r.Groups {
		p.Printf("\n")
		p.diffGroup(i+1, g, r.SameHeap)
	}
	if len(r.Notes) > 0 {
		p.notes(r.Notes)
	}
	p.Printf("\n")
	if r.Left > 0 {
		p.Prose("", fmt.Sprintf("%s that changed %s not listed: --top 0 lists all.", count(uint64(r.Left), "place"), agree(uint64(r.Left), "is", "are")))
	}
	switch {
	case r.SameHeap && r.New.Blocks == 0:
		p.Prose("", "Nothing that was allocated in between is live.")
	case r.SameHeap:
		p.Prose("", fmt.Sprintf("%s, %s, %s allocated in between and %s live: leaked, unless somebody means to free %s.", count(r.New.Blocks, "block"), amount(r.New.Bytes),
			agree(r.New.Blocks, "was", "were"), agree(r.New.Blocks, "is", "are"), agree(r.New.Blocks, "it", "them")))
	}
	for _, g := range r.Groups {
		if g.New.Blocks > 0 || !r.SameHeap && g.Is.Blocks > 0 {
			p.next(p.command("history", g.Example.String()), "the first of these")
			break
		}
	}
	return p.Err
}

// side writes which heap one of the two is.
func (p *page) side(label string, s inspect.Summary) {
	if s.Mode == "" {
		p.unreadable(s)
		return
	}
	p.Prose(fmt.Sprintf("%-8s", label), fmt.Sprintf("heap %s in %s, %s", p.Paint(strong, fmt.Sprintf("%q", s.Name)), s.Owner, s.Mode))
}

// diffBins writes the size classes whose live blocks are not as many.
func (p *page) diffBins(bins []inspect.DiffBin) {
	var rows []table.Row
	for _, b := range bins {
		class := any(b.Size)
		if b.Size == 0 {
			class = "large"
		}
		rows = append(rows, table.Row{class, number(b.Was.Blocks), number(b.Is.Blocks), signed(int64(b.Is.Blocks) - int64(b.Was.Blocks)), signed(int64(b.Is.Bytes) - int64(b.Was.Bytes))})
	}
	p.table(table.Row{"block size", "live before", "live after", "blocks", "bytes"}, rows, 0, 1, 2, 3, 4)
}

// diffGroup writes how the blocks of one stack changed.
func (p *page) diffGroup(n int, g inspect.DiffGroup, same bool) {
	blocks, bytes := g.Growth()
	head := fmt.Sprintf("%s %s, %s %s", signed(bytes), noun(bytes, "byte"), signed(blocks), noun(blocks, "block"))
	if same {
		head += fmt.Sprintf(": %s allocated, %s freed, %s kept", number(g.New.Blocks), number(g.Gone.Blocks), number(g.Kept.Blocks))
	} else {
		head += fmt.Sprintf(": %s before, %s after", number(g.Was.Blocks), number(g.Is.Blocks))
	}
	p.Prose(p.Paint(strong, fmt.Sprintf("%d  ", n)), p.Paint(strong, head))
	if g.Unrecorded != "" {
		p.Prose("   ", g.Unrecorded)
	}
	p.Operation("   ", "allocated by", report.OperationLabel, g.Allocated)
}

// signed is a number with its sign, and a comma after each three digits.
func signed(n int64) string {
	switch {
	case n > 0:
		return "+" + number(uint64(n))
	case n < 0:
		return "-" + number(uint64(-n))
	}
	return "0"
}

// noun is a noun as it goes with a number.
func noun(n int64, one string) string {
	if n == 1 || n == -1 {
		return one
	}
	return one + "s"
}
