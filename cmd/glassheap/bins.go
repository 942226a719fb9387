package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect/render"
)

func newBins(t *terminal) *cobra.Command {
	var o opening
	var all bool
	c := &cobra.Command{Use: "bins TARGET", Short: "the size classes: slabs, blocks, what is live and free", Example: "  glassheap bins 4711"}
	o.addFlags(c)
	c.Flags().BoolVar(&all, "all", false, "list bins that have no slab too")
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		heap, h, _, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		r, err := h.Bins(c.Context())
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Bins(w, r, t.style(name), all) })
	}
	return c
}
