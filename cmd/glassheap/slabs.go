package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect/render"
)

func newSlabs(t *terminal) *cobra.Command {
	var o opening
	c := &cobra.Command{
		Use:     "slabs TARGET [BIN]",
		Short:   "the slabs, of one bin or of all",
		Long:    "slabs lists slabs. A slab's number is the page where it begins, counted from the\nfirst arena.",
		Example: "  glassheap slabs 4711 3",
	}
	o.addFlags(c)
	c.Args = o.arguments(0, 1, "a target and at most one bin")
	c.RunE = func(c *cobra.Command, args []string) error {
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
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Slabs(w, r, t.style(name)) })
	}
	return c
}
