package render

import (
	"fmt"
	"io"

	"github.com/glassheap/glassheap/inspect"
)

// Structs writes the answer to "have my structs been initialised properly?": a line for each struct that is as it should be,
// every field of each that is not; with fields, every field of all.
func Structs(w io.Writer, r *inspect.StructsReport, s Style, fields bool) error {
	p := newPage(w, s)
	p.printf("%s\n", p.paint(strong, "have my structs been initialised properly?"))
	p.heap(r.Heap)
	kind := ""
	for _, j := range r.Structs {
		if j.Type != kind {
			p.printf("\n")
			kind = j.Type
		}
		p.judgement(j, fields)
	}
	if r.Left > 0 {
		p.printf("\n%s %s more, all as they should be: --all shows them\n", p.paint(dim, "…"), count(uint64(r.Left), "struct"))
	}
	for i, f := range r.Problems {
		p.printf("\n")
		p.finding(i+1, f)
	}
	p.printf("\n%s, %s: ", count(uint64(r.Judged), "struct"), count(uint64(r.Fields), "field"))
	switch {
	case r.Wrong == 0 && len(r.Problems) == 0 && r.UnderWay == 0:
		p.printf("%s\n", p.paint(live, "every one as it should be"))
	case r.Wrong == 0 && len(r.Problems) == 0:
		p.printf("none wrong, %d %s\n", r.UnderWay, p.paint(unsure, "may be changing just now"))
	default:
		p.printf("%s", p.paint(damaged, fmt.Sprintf("%d wrong", r.Wrong)))
		if n := len(r.Problems); n > 0 {
			p.printf(", %s of lists and page entries", count(uint64(n), "finding"))
		}
		p.printf("\n")
		p.next(p.command("check", ""), "what it means for the blocks")
	}
	return p.err
}

func (p *page) judgement(j inspect.Judgement, fields bool) {
	bad := 0
	for _, v := range j.Verdicts {
		if !v.OK {
			bad++
		}
	}
	p.printf("%-24s %s  ", j.Name, j.Address)
	if bad == 0 && !fields {
		p.printf("%s %s\n", count(uint64(len(j.Verdicts)), "field"), p.paint(live, "ok"))
		return
	}
	if bad == 0 {
		p.printf("%s\n", p.paint(live, "ok"))
	} else {
		p.printf("%s of %d\n", p.paint(damaged, fmt.Sprintf("%d wrong", bad)), len(j.Verdicts))
	}
	for _, v := range j.Verdicts {
		switch {
		case v.OK && fields:
			p.printf("    %-16s %-22s %s  %s\n", v.Field, v.Found, p.paint(live, "ok"), p.paint(dim, v.Why))
		case v.OK:
		case v.UnderWay:
			p.printf("    %-16s %-22s %s, expected %s  %s\n", v.Field, v.Found, p.paint(unsure, "changing"), v.Expected, p.paint(dim, v.Why))
		default:
			p.printf("    %-16s %-22s %s, expected %s  %s\n", v.Field, p.paint(damaged, v.Found), p.paint(damaged, "WRONG"), v.Expected, p.paint(dim, v.Why))
		}
	}
}
