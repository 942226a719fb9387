package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// Check writes the answer to "is anything wrong?".
func Check(w io.Writer, r *inspect.CheckReport, s Style) error {
	p := newPage(w, s)
	if r.Structs == 0 {
		p.unreadable(r.Heap)
	} else {
		counts := []string{count(r.Heap.Arenas, "arena"), count(uint64(r.Heap.Bins), "bin"), count(uint64(r.Heap.Slabs), "slab"),
			count(uint64(r.Heap.Spans), "span"), count(r.Heap.LiveBlocks, "live block")}
		p.heapWith(r.Heap, append(counts, inQuarantine(r.Heap)...)...)
		looked := []string{fmt.Sprintf("checked %s of memory: %s and %s in %s", size(r.Bytes), count(uint64(r.Structs), "struct"), count(r.Blocks, "seal"), duration(r.Elapsed))}
		if r.Stops > 0 {
			looked = append(looked, "the process was stopped for "+duration(r.Stopped))
		}
		p.phrases("; ", looked...)
	}
	p.findings(r.Findings)
	if len(r.Unsettled) > 0 {
		p.Printf("\n%s\n", p.Paint(unsure, "not settled"))
		for _, f := range r.Unsettled {
			p.Prose("   ", f.Summary)
		}
	}
	p.notes(r.Notes)
	p.Printf("\n")
	p.verdict(r)
	return p.Err
}

// verdict writes what all of it comes to, and what to do next.
func (p *page) verdict(r *inspect.CheckReport) {
	found := p.Paint(damaged, count(uint64(len(r.Findings)), "finding")+".")
	structural, header := false, false
	for _, f := range r.Findings {
		structural = structural || f.Struct != "" && f.Excerpt == nil // what lies behind a slab's blocks is no structure
		header = header || f.Code == inspect.CodeHeader
	}
	switch {
	case len(r.Findings) == 0 && len(r.Unsettled) > 0:
		p.Prose("", p.Paint(live, "healthy.")+" Nothing is wrong for certain.")
		if kind := r.Heap.Owner.Kind; kind != target.KindEnded && kind != target.KindSnapshot && kind != target.KindCore {
			p.next(p.command("check", ""), "again: operations end, damage stays")
		}
	case len(r.Findings) == 0 && r.Missing != nil:
		p.Prose("", p.Paint(live, "healthy,")+" as far as the core goes.")
	case len(r.Findings) == 0:
		p.Prose("", p.Paint(live, "healthy.")+" Every struct is whole, every block is accounted for once.")
	case header && r.Structs == 0:
		p.Prose("", found+" Both copies of the header's identity are damaged: nothing behind it can be believed.")
		p.next(p.command("structs", "--wrong"), "every field of them that is wrong")
	case structural:
		p.Prose("", found+" The heap's own structure is damaged.")
		p.leadOn(r.Findings)
	default:
		p.Prose("", found+" The heap's own structure is whole: every struct is as it should be.")
		address, why := whereabouts(r.Findings[0])
		p.next(p.command("whatis", address.String()), why)
	}
}

// whereabouts is the address to ask about, and what for: of the block, or of the damage where no block is.
func whereabouts(f inspect.Finding) (address inspect.Address, why string) {
	if f.Block == nil && f.Excerpt != nil {
		return f.Excerpt.Damaged(), "what is there"
	}
	return f.Address, "the block and its neighbours"
}

// leadOn names the first struct that is wrong. The command structs, which names this one, would lead nowhere else.
func (p *page) leadOn(findings []inspect.Finding) {
	unowned := ""
	for _, f := range findings {
		switch f.Struct {
		case "":
		case "descriptors": // a stretch of them that belongs to no struct
			unowned = f.Address.String()
		default:
			p.next(p.command("dump", dumpWords(f)), "every field of that struct")
			return
		}
	}
	p.next(p.command("hexdump", unowned), "its bytes")
}

// dumpWords name the struct of a finding as dump takes it.
func dumpWords(f inspect.Finding) string {
	if _, address, ok := strings.Cut(f.Struct, " at "); ok {
		return address
	}
	var bin, cache int
	if _, err := fmt.Sscanf(f.Struct, "Magazine %d of cache %d", &bin, &cache); err == nil {
		return fmt.Sprintf("magazine %d.%d", cache, bin)
	}
	return strings.ToLower(strings.NewReplacer("Header.", "", "PageEntry", "page").Replace(f.Struct))
}

// note writes a remark.
func (p *page) note(text string) { p.Prose(p.Paint(dim, "note")+"  ", text) }

// notes writes remarks, below an empty line.
func (p *page) notes(texts []string) {
	if len(texts) > 0 {
		p.Printf("\n")
	}
	for _, text := range texts {
		p.note(text)
	}
}

// findings writes findings under their numbers. What most likely led to a wrong field is the same for all of them: it is
// said once.
func (p *page) findings(findings []inspect.Finding) {
	said := ""
	for i, group := range inspect.Alike(findings) {
		together := make([]inspect.Finding, 0, len(group))
		for _, j := range group {
			together = append(together, findings[j])
		}
		f := &together[0]
		if f.Block == nil && f.Cause == said {
			f.Cause = ""
		} else if f.Block == nil {
			said = f.Cause
		}
		p.Printf("\n")
		if len(group) > 1 {
			p.alike(i+1, together)
		} else {
			p.finding(i+1, *f)
		}
	}
}

// finding writes one finding, indented below its number.
func (p *page) finding(n int, f inspect.Finding) {
	p.findingHead(n, headline(f), f)
	p.Body(&f, "   ")
}

// findingHead writes the first line of a finding.
func (p *page) findingHead(n int, head string, f inspect.Finding) {
	number, code := fmt.Sprintf("%d  ", n), p.certainty(f)
	if gap := min(p.Width, report.UsualWidth) - width(number) - width(head) - width(code); gap >= 2 {
		p.Printf("%s%s%s\n", p.Paint(damaged, number+head), strings.Repeat(" ", gap), code)
	} else {
		p.Prose(p.Paint(damaged, number), p.Paint(damaged, head))
		p.Printf("   %s\n", code)
	}
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
		return p.Paint(dim, string(f.Code))
	}
	return p.Paint(unsure, "not settled")
}
