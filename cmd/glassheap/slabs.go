package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newSlabs(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var s selection
	c := &cobra.Command{
		Use:     "slabs TARGET [BIN]",
		Short:   "the slabs, of one bin or of all",
		Long:    "slabs lists slabs. A slab's number is the page where it begins, counted from the\nfirst arena.",
		Example: "  glassheap slabs 4711 3\n  glassheap slabs 4711 --where 'live == 0' --sort -pages",
	}
	o.addFlags(c)
	s.addFlags(c, &inspect.SlabColumns, true)
	c.Args = o.arguments(0, 1, "a target and at most one bin")
	c.RunE = func(c *cobra.Command, args []string) error {
		q, err := inspect.SlabColumns.Parse(s.Words)
		if err != nil {
			return err
		}
		heap, h, rest, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		bin := -1
		if len(rest) > 0 {
			if bin, err = strconv.Atoi(rest[0]); err != nil || bin < 0 {
				return fmt.Errorf("%q is no bin: bins are numbered from 0 (`glassheap bins %s` lists them)", rest[0], name)
			}
		}
		r, err := h.Slabs(bin)
		if err == nil {
			err = r.Select(q)
		}
		if err != nil {
			return err
		}
		return answerOrList(t, q, r.Slabs, r.Heap, nil, name, r, func(w io.Writer) error { return render.Slabs(w, r, t.style(name)) })
	}
	return c
}
