package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newBins(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var s selection
	var all bool
	c := &cobra.Command{Use: "bins TARGET", Short: "the size classes: slabs, blocks, what is live and free", Example: "  glassheap bins 4711"}
	o.addFlags(c)
	s.addFlags(c, &inspect.BinColumns, true)
	c.Flags().BoolVar(&all, "all", false, "list bins that have no slab too")
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		q, err := inspect.BinColumns.Parse(s.Words)
		if err != nil {
			return err
		}
		heap, h, _, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		r, err := h.Bins(c.Context())
		if err == nil {
			err = r.Select(q)
		}
		if err != nil {
			return err
		}
		all = all || q.Conditioned("slabs", "blocks", "virgin", "live")
		return answerOrList(t, q, r.Bins, r.Heap, nil, name, r, func(w io.Writer) error { return render.Bins(w, r, t.style(name), all) })
	}
	return c
}
