package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
)

// Structs writes the answer to "have my structs been initialised properly?": a line for each struct that is as it should be,
// every field of each that is not; with fields, every field of all.
func Structs(w io.Writer, r *inspect.StructsReport, s Style, fields bool) error {
	p := newPage(w, s)
	p.Printf("%s\n", p.Paint(strong, "have my structs been initialised properly?"))
	p.heap(r.Heap)
	kind, healthy := "", false
	for _, j := range r.Structs {
		// The magazines of a cache go with it.
		if j.Type != kind && !(kind == "Cache" && j.Type == "Magazine") {
			p.Printf("\n")
		}
		kind = j.Type
		healthy = p.judgement(j, fields) || healthy
	}
	// Where no healthy struct is shown, nobody asked for more of them.
	if r.Left > 0 && healthy {
		left := uint64(r.Left)
		p.Printf("\n%s %s more, %sas it should be: --all shows %s\n", p.Paint(dim, "…"), count(left, "struct"), agree(left, "", "each "), agree(left, "it", "them"))
	}
	if r.More > 0 {
		more := uint64(r.More)
		p.Printf("\n%s %s more, not as %s should be: --all shows %s\n", p.Paint(damaged, "…"), count(more, "struct"), agree(more, "it", "they"), agree(more, "it", "them"))
	}
	p.findings(r.Problems)
	p.Printf("\n")
	p.structsVerdict(r)
	return p.Err
}

func (p *page) structsVerdict(r *inspect.StructsReport) {
	judged := fmt.Sprintf("%s, %s: ", count(uint64(r.Judged), "struct"), count(uint64(r.Fields), "field"))
	switch {
	case r.Wrong == 0 && len(r.Problems) == 0 && r.UnderWay == 0:
		p.Prose("", judged+p.Paint(live, "every one as it should be"))
	case r.Wrong == 0 && len(r.Problems) == 0:
		p.Prose("", judged+fmt.Sprintf("none wrong, %d %s", r.UnderWay, p.Paint(unsure, "may be changing just now")))
		p.next(p.command("structs", ""), "again: operations end, damage stays")
	default:
		wrong := p.Paint(damaged, fmt.Sprintf("%d wrong", r.Wrong))
		if r.UnderWay > 0 {
			wrong += fmt.Sprintf(", %d %s", r.UnderWay, p.Paint(unsure, "may be changing just now"))
		}
		if n := len(r.Problems); n > 0 {
			wrong += fmt.Sprintf(", and %s about lists and page entries", count(uint64(n), "finding"))
		}
		p.Prose("", judged+wrong)
		if r.Heap.Mode != "" { // else check has no more to say
			p.next(p.command("check", ""), "what it means for the blocks")
		}
	}
}

// judgement writes one struct: a line if it is as it should be, else its wrong fields too, or every one. It reports whether
// the struct is healthy.
func (p *page) judgement(j inspect.Judgement, fields bool) (healthy bool) {
	wrong, underWay := 0, 0
	for _, v := range j.Verdicts {
		switch {
		case v.UnderWay:
			underWay++
		case !v.OK:
			wrong++
		}
	}
	// Where a name tells the address, that need not stand there twice.
	name := strings.TrimSuffix(j.Name, " at "+j.Address.String())
	p.Printf("%-23s  %s  ", name, j.Address)
	all := count(uint64(len(j.Verdicts)), "field")
	switch {
	case wrong > 0:
		p.Printf("%s of %s\n", p.Paint(damaged, fmt.Sprintf("%d wrong", wrong)), all)
	case underWay > 0:
		p.Printf("%s of %s\n", p.Paint(unsure, fmt.Sprintf("%d changing", underWay)), all)
	default:
		p.Printf("%s %s\n", all, p.Paint(live, "ok"))
	}
	var shown []layout.Verdict
	for _, v := range j.Verdicts {
		if !v.OK || fields {
			shown = append(shown, v)
		}
	}
	p.verdicts(shown)
	return wrong == 0 && underWay == 0
}

// verdicts writes fields: what each holds, whether that is right, and what it follows from.
func (p *page) verdicts(verdicts []layout.Verdict) {
	fieldWidth, foundWidth := 0, 0
	for _, v := range verdicts {
		fieldWidth, foundWidth = max(fieldWidth, width(v.Field)), max(foundWidth, width(v.Found))
	}
	for _, v := range verdicts {
		found := v.Found + strings.Repeat(" ", foundWidth-width(v.Found))
		answer := p.Paint(live, "ok")
		switch {
		case v.UnderWay:
			answer = p.Paint(unsure, "changing") + ", expected " + v.Expected
		case !v.OK:
			found = p.Paint(damaged, found)
			answer = p.Paint(damaged, "WRONG") + ", expected " + v.Expected
		}
		if v.Why != "" {
			answer += " " + p.Paint(dim, "("+v.Why+")")
		}
		p.Prose(fmt.Sprintf("    %-*s  %s  ", fieldWidth, v.Field, found), answer)
	}
}
