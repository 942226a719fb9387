package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newPs(t *terminal) *cobra.Command {
	var s selection
	c := &cobra.Command{
		Use:   "ps",
		Short: "which processes have heaps? each heap, and who holds it",
		Long: `ps lists the heaps of every process of this machine that may be looked into. A
process that holds another one's heap (it was given the memory file, or it
mapped it) is listed too, and so is a heap whose process is gone and whose
memory somebody still holds. No process is stopped, and of each heap only the
header is read.`,
		Example: "  glassheap ps\n  glassheap ps --where 'mapped > 1073741824' --sort -mapped\n  glassheap ps --json",
		Args:    noArguments,
	}
	s.addFlags(c, &inspect.HeapColumns, true)
	c.RunE = func(c *cobra.Command, _ []string) error {
		q, err := inspect.HeapColumns.Parse(s.Words)
		if err != nil {
			return err
		}
		r, err := inspect.Ps(c.Context(), q)
		if err != nil {
			return err
		}
		return answerOrList(t, q, r.Heaps, inspect.Summary{}, nil, "", r, func(w io.Writer) error { return render.Ps(w, r, t.style("")) })
	}
	return c
}
