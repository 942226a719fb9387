package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect/render"
)

func newStats(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	c := &cobra.Command{Use: "stats TARGET", Short: "the heap in figures: blocks, memory, traffic", Example: "  glassheap stats 4711"}
	o.addFlags(c)
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		heap, h, _, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		r, err := h.Stats(c.Context())
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Stats(w, r, t.style(name)) })
	}
	return c
}
