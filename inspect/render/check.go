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
	if r.Structs == 0 {
		p.unreadable(r.Heap)
	} else {
		p.heapWith(r.Heap, count(r.Heap.Arenas, "arena"), count(uint64(r.Heap.Bins), "bin"), count(uint64(r.Heap.Slabs), "slab"),
			count(uint64(r.Heap.Spans), "span"), count(r.Heap.LiveBlocks, "live block"))
		looked := []string{fmt.Sprintf("checked %s of memory: %s and %s in %s", size(r.Bytes), count(uint64(r.Structs), "struct"), count(r.Blocks, "seal"), duration(r.Elapsed))}
		if r.Stops > 0 {
			looked = append(looked, "the process was stopped for "+duration(r.Stopped))
		}
		p.phrases("; ", looked...)
	}
	p.findings(r.Findings)
	if len(r.Unsettled) > 0 {
		p.printf("\n%s\n", p.paint(unsure, "not settled"))
		for _, f := range r.Unsettled {
			p.prose("   ", f.Summary)
		}
	}
	if len(r.Notes) > 0 {
		p.printf("\n")
	}
	for _, note := range r.Notes {
		p.note(note)
	}
	p.printf("\n")
	p.verdict(r)
	return p.err
}

// verdict writes what all of it comes to, and what to do next.
func (p *page) verdict(r *inspect.CheckReport) {
	found := p.paint(damaged, count(uint64(len(r.Findings)), "finding")+".")
	structural, header := false, false
	for _, f := range r.Findings {
		structural = structural || f.Block == nil || f.Struct != ""
		header = header || f.Code == inspect.CodeHeader
	}
	switch {
	case len(r.Findings) == 0 && len(r.Unsettled) > 0:
		p.prose("", p.paint(live, "healthy.")+" Nothing is wrong for certain.")
		p.next(p.command("check", ""), "again: operations end, damage stays")
	case len(r.Findings) == 0:
		p.prose("", p.paint(live, "healthy.")+" Every struct is whole, every block is accounted for once.")
	case header && r.Structs == 0:
		p.prose("", found+" Both copies of the header's identity are damaged: nothing behind it can be believed.")
		p.next(p.command("structs", "--wrong"), "every field of them that is wrong")
	case structural:
		p.prose("", found+" The heap's own structure is damaged.")
		p.next(p.command("structs", "--wrong"), "every field of the damaged structs")
	default:
		p.prose("", found+" The heap's own structure is whole: every struct is as it should be.")
		p.next(p.command("whatis", r.Findings[0].Address.String()), "the block and its neighbours")
	}
}

// note writes a remark.
func (p *page) note(text string) { p.prose(p.paint(dim, "note")+"  ", text) }

// findings writes findings under their numbers. What most likely led to a wrong field is the same for all of them: it is
// said once.
func (p *page) findings(findings []inspect.Finding) {
	said := ""
	for i, f := range findings {
		if f.Block == nil && f.Cause == said {
			f.Cause = ""
		} else if f.Block == nil {
			said = f.Cause
		}
		p.printf("\n")
		p.finding(i+1, f)
	}
}

// finding writes one finding, indented below its number.
func (p *page) finding(n int, f inspect.Finding) {
	number, code := fmt.Sprintf("%d  ", n), p.certainty(f)
	head := headline(f)
	if gap := min(p.Width, usualWidth) - width(number) - width(head) - width(code); gap >= 2 {
		p.printf("%s%s%s\n", p.paint(damaged, number+head), strings.Repeat(" ", gap), code)
	} else {
		p.prose(p.paint(damaged, number), p.paint(damaged, head))
		p.printf("   %s\n", code)
	}
	p.findingBody(f, "   ")
}

// headline is what a finding is about. What a wrong field holds and should hold stands below it.
func headline(f inspect.Finding) string {
	switch {
	case f.Struct == "" || f.Field == "" || f.Block != nil:
		return f.Summary
	case strings.HasPrefix(f.Field, "("):
		return f.Struct + " is wrong " + f.Field
	}
	return f.Field + " of " + f.Struct + " is wrong"
}

// certainty is the word at the end of a finding's first line.
func (p *page) certainty(f inspect.Finding) string {
	if f.Severity == inspect.SeverityDamage {
		return p.paint(dim, string(f.Code))
	}
	return p.paint(unsure, "not settled")
}

// findingBody writes what belongs to a finding, below its first line.
func (p *page) findingBody(f inspect.Finding, indent string) {
	label := func(name string) string { return indent + p.paint(dim, fmt.Sprintf("%-10s", name)) }
	if f.Block != nil {
		p.clauses(label("block"), indent+strings.Repeat(" ", 10), fmt.Sprintf("%s, %s", f.Block.Address, blockPlace(f.Block)))
	}
	switch {
	case f.Struct != "" && f.Block != nil:
		p.prose(label("struct"), strings.TrimSuffix(f.Struct+", "+f.Field, ", "))
	case f.Struct != "":
		p.prose(label("struct"), strings.TrimSuffix(f.Struct, " at "+f.Address.String())+" at "+f.Address.String())
	}
	if f.Excerpt != nil {
		p.excerpt(f, label("bytes"), indent)
	} else if f.Found != "" {
		p.prose(label("found"), p.paint(damaged, f.Found))
		expected := f.Expected
		if f.Why != "" {
			expected += " " + p.paint(dim, "("+f.Why+")")
		}
		p.prose(label("expected"), expected)
	}
	if f.Cause != "" {
		p.prose(label("likely"), f.Cause)
	}
}

// blockPlace says in a few words which block it is.
func blockPlace(b *inspect.Block) string {
	text := fmt.Sprintf("bin %d (%d B), slab %d, block %d", b.Bin, b.Size, b.Slab, b.Index)
	if b.Bin < 0 {
		text = fmt.Sprintf("span %d", b.Slab)
	}
	text += ", " + b.Place.String()
	if b.Requested >= 0 {
		text += fmt.Sprintf(", %d %s", b.Requested, agree(uint64(b.Requested), "byte", "bytes"))
	}
	return text
}
