package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/glassheap/glassheap/inspect"
)

// Check writes the answer to "is anything wrong?".
func Check(w io.Writer, r *inspect.CheckReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	p.printf("checked %s of memory: %s and %s in %s", size(r.Bytes), count(uint64(r.Structs), "struct"), count(r.Blocks, "seal"), duration(r.Elapsed))
	if r.Stops > 0 {
		p.printf("; the process was stopped for %s", duration(r.Stopped))
	}
	p.printf("\n")
	for i, f := range r.Findings {
		p.printf("\n")
		p.finding(i+1, f)
	}
	if len(r.Unsettled) > 0 {
		p.printf("\n%s\n", p.paint(unsure, "not settled:"))
		for _, f := range r.Unsettled {
			p.printf("  %s\n", f.Summary)
		}
	}
	for _, note := range r.Notes {
		p.printf("\n%s %s\n", p.paint(dim, "note"), note)
	}
	p.printf("\n")
	structural := false
	for _, f := range r.Findings {
		structural = structural || f.Block == nil
	}
	switch {
	case len(r.Findings) == 0:
		p.printf("%s Every struct is whole, every block is accounted for once: %s.\n", p.paint(live, "healthy."), p.census(r))
	case structural:
		p.printf("%s The heap's own structure is damaged.\n", p.paint(damaged, count(uint64(len(r.Findings)), "finding")+"."))
		p.next(p.command("structs", "--wrong"), "every field of the damaged structs")
	default:
		p.printf("%s The heap's structure is whole: %s.\n", p.paint(damaged, count(uint64(len(r.Findings)), "finding")+"."), p.census(r))
		p.next(p.command("whatis", r.Findings[0].Address.String()), "the block and its neighbours")
	}
	return p.err
}

func (p *page) census(r *inspect.CheckReport) string {
	return fmt.Sprintf("%s, %s, %s, %s", count(r.Heap.Arenas, "arena"), count(uint64(r.Heap.Bins), "bin"), count(uint64(r.Heap.Slabs), "slab"), count(r.Heap.LiveBlocks, "live block"))
}

// finding writes one finding, indented below its number.
func (p *page) finding(n int, f inspect.Finding) {
	head := fmt.Sprintf("%d  %s", n, f.Summary)
	p.printf("%s%s%s\n", p.paint(damaged, head), strings.Repeat(" ", max(2, 74-len([]rune(head)))), p.certainty(f))
	p.findingBody(f, "   ")
}

func (p *page) certainty(f inspect.Finding) string {
	if f.Severity == inspect.SeverityDamage {
		return p.paint(dim, string(f.Code))
	}
	return p.paint(unsure, "not settled")
}

// findingBody writes what belongs to a finding, below its first line.
func (p *page) findingBody(f inspect.Finding, indent string) {
	label := func(name string) string { return indent + p.paint(dim, fmt.Sprintf("%-8s", name)) }
	if f.Block != nil {
		p.printf("%s%s   %s\n", label("block"), f.Block.Address, blockPlace(f.Block))
	}
	if f.Struct != "" {
		p.printf("%s%s at %s\n", label("struct"), f.Struct, f.Address)
	}
	if f.Excerpt != nil {
		p.excerpt(f, label("bytes"), indent)
	} else if f.Found != "" {
		p.printf("%s%s\n", label("found"), p.paint(damaged, f.Found))
		expected := f.Expected
		if f.Why != "" {
			expected += p.paint(dim, "   ("+f.Why+")")
		}
		p.printf("%s%s\n", label("expected"), expected)
	}
	if f.Cause != "" {
		p.printf("%s%s\n", label("likely"), f.Cause)
	}
}

// blockPlace says in a few words which block it is.
func blockPlace(b *inspect.Block) string {
	text := fmt.Sprintf("bin %d (%d B), slab %d, block %d", b.Bin, b.Size, b.Slab, b.Index)
	if b.Bin < 0 {
		text = fmt.Sprintf("span %d", b.Slab)
	}
	text += ", " + b.Place.String()
	if b.Requested >= 0 && b.Place != inspect.PlaceFree {
		text += fmt.Sprintf(", asked for %d bytes", b.Requested)
	}
	return text
}

// excerptRow is how many bytes of an excerpt one line shows.
const excerptRow = 16

// excerpt writes the bytes around damage, the damaged ones marked, and below them where the data end and the seal begins.
func (p *page) excerpt(f inspect.Finding, label, indent string) {
	e := f.Excerpt
	for start := 0; start < len(e.Bytes); start += excerptRow {
		end := min(start+excerptRow, len(e.Bytes))
		var hex, under strings.Builder
		for i := start; i < end; i++ {
			pair, mark := fmt.Sprintf("%02x", e.Bytes[i]), "  "
			switch {
			case i >= e.From && i < e.To:
				pair, mark = p.paint(damaged, pair), "^^"
			case i >= e.Seal:
				pair = p.paint(dim, pair)
			}
			gap := " "
			if i == e.Seal {
				gap = "|"
			}
			hex.WriteString(gap + pair)
			under.WriteString(" " + mark)
		}
		p.printf("%s+%-5d%s\n", label, e.Offset+start, hex.String())
		if marks := strings.TrimRight(under.String(), " "); marks != "" {
			what := "written over"
			if end < len(e.Bytes) && e.To > end {
				what = ""
			}
			p.printf("%s%s%s %s\n", indent, strings.Repeat(" ", 14), p.paint(damaged, marks), what)
		}
		label = indent + strings.Repeat(" ", 8)
	}
}
