package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newMap(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var all bool
	slab := -1
	options := inspect.MapOptions{}
	c := &cobra.Command{
		Use:     "map TARGET [ADDRESS]",
		Short:   "a drawing: arenas, bins, and on request the blocks of slabs",
		Long:    "map draws the heap from its arenas down. --bin draws the blocks of a bin's\nslabs, --slab those of one slab, an address those of the slab that it lies in.",
		Example: "  glassheap map 4711\n  glassheap map 4711 --bin 3\n  glassheap map 4711 --slab 17\n  glassheap map 4711 0x7f68f6eb2a40",
	}
	o.addFlags(c)
	c.Flags().IntVar(&options.Bin, "bin", -1, "draw the slabs of this bin")
	c.Flags().IntVar(&slab, "slab", -1, "draw the slab with this number")
	c.MarkFlagsMutuallyExclusive("bin", "slab")
	c.Flags().BoolVar(&all, "all", false, "draw all arenas and slabs, not only the first")
	c.Args = o.arguments(0, 1, "a target and at most one address")
	c.RunE = func(c *cobra.Command, args []string) error {
		heap, h, rest, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		if c.Flags().Changed("bin") && options.Bin < 0 {
			return fmt.Errorf("--bin %d: bins are numbered from 0 (`glassheap bins %s` lists them)", options.Bin, name)
		}
		switch {
		case c.Flags().Changed("slab") && (slab < 0 || len(rest) > 0):
			return fmt.Errorf("--slab takes a slab's number, in place of an address (`glassheap slabs %s` lists them)", name)
		case slab >= 0:
			options.Address = h.Identity().Data + uint64(slab)*layout.PageBytes
		case len(rest) > 0:
			if options.Address, err = parseAddress(rest[0]); err != nil {
				return err
			}
		}
		if !all {
			options.Most = mostDrawn
		}
		r, err := h.Map(c.Context(), options)
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Map(w, r, t.style(name)) })
	}
	return c
}

// mostDrawn is how many arenas, or slabs, a map draws unless all are wanted.
const mostDrawn = 24
