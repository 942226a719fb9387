package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newCheck(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	c := &cobra.Command{
		Use:   "check TARGET",
		Short: "is anything wrong? every struct, every list, every seal",
		Long: `check cross-examines the three witnesses of every block: its seal, the one list
that it is on, and the counts. It verifies every field of every struct, and says
of each damage what happened, to which block, by how much, and what most likely
led to it.

A running process is looked at while it runs. Only what looks wrong then is
looked at again with the process held still, for as long as copying its metadata
takes, so that an operation under way is not taken for damage. With --stop whole
it is held still from the beginning to the end, for ten seconds at most; with
--stop never it is not held at all, and looked at several times instead:
operations end, damage stays.`,
		Example: "  glassheap check 4711\n  glassheap check core.4711\n  glassheap check --json crash.snapshot",
	}
	o.addFlags(c)
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		heap, program, _, name, err := o.withProgram(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		update, end := t.showProgress("checking slabs")
		r, err := inspect.Check(c.Context(), heap, inspect.CheckOptions{Progress: func(done, total int) { update(int64(done), int64(total)) }, Program: program})
		end()
		if err != nil {
			return err
		}
		err = t.answer(r, func(w io.Writer) error { return render.Check(w, r, t.style(name)) })
		if err == nil && !r.Healthy() {
			err = errFound
		}
		return err
	}
	return c
}
