package render

import (
	"fmt"
	"io"

	"github.com/glassheap/glassheap/inspect"
)

// History writes everything that is known of the block at an address.
func History(w io.Writer, r *inspect.HistoryReport, s Style) error {
	p := newPage(w, s)
	p.clauses("", "  ", p.paint(strong, r.Address.String())+" is "+r.Now.Sentence)
	if b := r.Now.Block; b != nil {
		p.operations("", b)
	}
	if f := r.Now.Finding; f != nil {
		p.prose("", p.paint(damaged, f.Summary))
	}
	p.printf("\n")
	if len(r.Events) == 0 {
		p.prose("", "The logs remember no operation there.")
	} else {
		p.prose("", fmt.Sprintf("The logs remember %s there, the newest first:", count(uint64(len(r.Events)), "operation")))
	}
	for _, e := range r.Events {
		p.printf("\n")
		p.operation("", e.Kind, e.By)
		p.prose(fmt.Sprintf("%-*s", operationLabel, ""), fmt.Sprintf("%s at %s", amount(e.Bytes), e.Address))
	}
	p.notes(r.Notes)
	if r.Now.Block != nil {
		p.printf("\n")
		p.next(p.command("hexdump", r.Now.Block.Address.String()), "its bytes")
	}
	return p.err
}
