package render

import (
	"fmt"
	"io"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
)

// Leaks writes the live blocks by who allocated them.
func Leaks(w io.Writer, r *inspect.LeaksReport, s Style) error {
	p := newPage(w, s)
	p.heapWith(r.Heap, count(r.Live, "live block")+", "+amount(r.LiveBytes))
	if r.Unreachable {
		looked := []string{fmt.Sprintf("searched %s of the process's memory in %s", size(r.RootBytes), duration(r.Elapsed))}
		if r.Stopped > 0 {
			looked = append(looked, "the process was stopped for "+duration(r.Stopped))
		}
		p.phrases("; ", looked...)
	}
	for i, g := range r.Groups {
		p.Printf("\n")
		p.leakGroup(i+1, g)
	}
	p.notes(r.Notes)
	p.Printf("\n")
	if r.Excluded > 0 {
		p.Prose("", fmt.Sprintf("%s %s left out: --where is not true of %s.", count(uint64(r.Excluded), "place"), agree(uint64(r.Excluded), "is", "are"), agree(uint64(r.Excluded), "it", "them")))
	}
	what := count(r.Blocks, "live block") + ", " + amount(r.Bytes) + "."
	switch {
	case r.Unreachable && r.Blocks == 0:
		p.Prose("", p.Paint(live, "nothing is unreachable.")+" Something refers to every live block.")
		return p.Err
	case r.Unreachable:
		p.Prose("", p.Paint(damaged, count(r.Blocks, "block")+" "+agree(r.Blocks, "is", "are")+" unreachable")+", "+amount(r.Bytes)+": nothing refers to "+agree(r.Blocks, "it", "them")+" any more.")
	case r.Left > 0:
		p.Prose("", fmt.Sprintf("%s %s %s not listed: --top 0 lists all.", what, count(uint64(r.Left), "place"), agree(uint64(r.Left), "is", "are")))
	default:
		p.Prose("", what)
	}
	if r.Unreachable && r.Left > 0 {
		p.Prose("", fmt.Sprintf("%s %s not listed: --top 0 lists all.", count(uint64(r.Left), "place"), agree(uint64(r.Left), "is", "are")))
	}
	if len(r.Groups) > 0 {
		p.next(p.command("history", r.Groups[0].Example.String()), "what is known of the oldest block")
	}
	return p.Err
}

// leakGroup writes one group, indented below its number.
func (p *page) leakGroup(n int, g inspect.LeakGroup) {
	each := "of " + amount(g.Least)
	if g.Least != g.Most {
		each = fmt.Sprintf("of %s to %s", number(g.Least), amount(g.Most))
	}
	head := fmt.Sprintf("%s in %s %s", amount(g.Bytes), count(g.Blocks, "block"), each)
	if g.Samples > 0 {
		head = fmt.Sprintf("about %s, by %s", head, count(g.Samples, "sample"))
	}
	if g.Below > 0 {
		head += fmt.Sprintf("; %s in %s below", amount(g.BelowBytes), count(g.Below, "block"))
	}
	p.Prose(p.Paint(strong, fmt.Sprintf("%d  ", n)), p.Paint(strong, head))
	if g.Unrecorded != "" {
		p.Prose("   ", g.Unrecorded)
	}
	p.Operation("   ", "allocated by", report.OperationLabel, g.Oldest)
}

// amount is a number of bytes in words.
func amount(n uint64) string { return count(n, "byte") }
