package render

import (
	"fmt"
	"io"
	"slices"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
)

// Ps writes the heaps of this machine.
func Ps(w io.Writer, r *inspect.PsReport, s Style) error {
	p := newPage(w, s)
	usual, err := inspect.HeapColumns.Parse(query.Words{})
	if err != nil {
		return err
	}
	table := usual.Over(query.Of(r.Heaps))
	l := lister{page: p, heads: table.Heads(), terminal: s.Width > 0}
	if _, err := l.rows(table); err != nil {
		return err
	}
	p.Prose("", fmt.Sprintf("%s; looked into %s", count(uint64(len(r.Heaps)), "heap"), countOf(r.Processes, "process", "processes")))
	p.beyond(r.Left)
	holds := func(how string) bool {
		return slices.ContainsFunc(r.Heaps, func(h inspect.HeapRow) bool { return h.Hold == how })
	}
	for _, h := range []struct{ how, means string }{
		{inspect.HoldShared, "the process has another one's heap mapped"},
		{inspect.HoldHeld, "it holds the memory file of another one's heap open, and has it not mapped"},
		{inspect.HoldOrphaned, "the same, and the process that made the heap is gone or has closed it: the memory stays for as long as somebody holds it"},
	} {
		if holds(h.how) {
			p.Prose(fmt.Sprintf("%-10s", h.how), h.means)
		}
	}
	advice := "Run as that user or root; in a container add CAP_SYS_PTRACE"
	if r.AsRoot {
		advice = "In a container add CAP_SYS_PTRACE"
	}
	for _, u := range r.Refused {
		who := "whose user is not known"
		if u.User != "" {
			who = "of user " + u.User
		}
		p.Prose(p.Paint(unsure, "not seen  "), fmt.Sprintf("%s %s: permission denied. %s.", countOf(u.Processes, "process", "processes"), who, advice))
	}
	if r.Ended > 0 {
		p.Prose("ended     ", fmt.Sprintf("%s %s ended, and nobody has waited for %s yet: %s memory is gone", countOf(r.Ended, "process", "processes"), agree(uint64(r.Ended), "has", "have"), agree(uint64(r.Ended), "it", "them"), agree(uint64(r.Ended), "its", "their")))
	}
	if len(r.Heaps) > 0 {
		p.next("glassheap check "+r.Heaps[0].Argument(), "is anything wrong?")
	}
	return p.Err
}

// countOf is count for a noun whose plural has no s alone.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}
