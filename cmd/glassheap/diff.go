package main

import (
	"cmp"
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newDiff(t *terminal) *cobra.Command {
	before := opening{terminal: t}
	var s selection
	var top int
	var heapAfter, exeAfter string
	c := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "what changed between two looks? what was allocated and is live",
		Long: `diff compares the live blocks of two targets: by size class, and by the stack
that allocated them. Each is the id of a process, a snapshot or a heap file.

Of one heap at two times it tells the blocks apart: those that were allocated in
between and are live (leaked, unless somebody means to free them), those that
were freed, and those that stayed. Of two runs of a program, or two builds of
it, it counts the blocks of each stack.`,
		Example: `  glassheap snapshot 4711 before.snapshot
  glassheap diff before.snapshot 4711
  glassheap diff before.snapshot after.snapshot --exe ./server
  glassheap diff old.snapshot new.snapshot --exe ./server.old --exe-b ./server`,
	}
	before.addFlags(c)
	c.Flags().StringVar(&heapAfter, "heap-b", "", "which heap of AFTER, where it is called otherwise than that of BEFORE")
	c.Flags().StringVar(&exeAfter, "exe-b", "", "the executable of AFTER, where it is not that of BEFORE")
	c.Flags().IntVar(&top, "top", 10, "list this many groups; 0: all")
	s.addFlags(c, &inspect.DiffColumns, false)
	c.Args = before.arguments(1, 1, "two targets")
	c.RunE = func(c *cobra.Command, args []string) error {
		q, err := inspect.DiffColumns.Parse(s.Words)
		if err != nil {
			return err
		}
		ta, a, rest, _, err := before.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer ta.Close()
		after := opening{terminal: t, heap: cmp.Or(heapAfter, before.heap), exe: exeAfter, exeIfUntold: before.exe}
		tb, b, _, name, err := after.decoded(c.Context(), rest)
		if err != nil {
			return err
		}
		defer tb.Close()
		update, end := t.showProgress("reading slabs")
		r, err := inspect.Diff(c.Context(), a, b, inspect.DiffOptions{Query: q, Top: top, Progress: func(done, total int) { update(int64(done), int64(total)) }})
		end()
		if err != nil {
			return err
		}
		return answerOrList(t, q, r.Groups, r.After, r.Notes, name, r, func(w io.Writer) error { return render.Diff(w, r, t.style(name)) })
	}
	return c
}
