package render

import (
	"fmt"
	"io"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
)

// History writes everything that is known of the block at an address.
func History(w io.Writer, r *inspect.HistoryReport, s Style) error {
	p := newPage(w, s)
	p.Clauses("", "  ", p.Paint(strong, r.Address.String())+" is "+r.Now.Sentence)
	if b := r.Now.Block; b != nil {
		p.Operations(b, "")
	}
	if f := r.Now.Finding; f != nil {
		p.Prose("", p.Paint(damaged, f.Summary))
	}
	p.Printf("\n")
	if len(r.Events) == 0 {
		p.Prose("", "The logs remember no operation there.")
	} else {
		p.Prose("", fmt.Sprintf("The logs remember %s there, the newest first:", count(uint64(len(r.Events)), "operation")))
	}
	for _, e := range r.Events {
		p.Printf("\n")
		p.Operation("", e.Kind, report.OperationLabel, e.By)
		p.Prose(fmt.Sprintf("%-*s", report.OperationLabel, ""), fmt.Sprintf("%s at %s", amount(e.Bytes), e.Address))
	}
	p.notes(r.Notes)
	if r.Now.Block != nil {
		p.Printf("\n")
		p.next(p.command("hexdump", r.Now.Block.Address.String()), "its bytes")
	}
	return p.Err
}
