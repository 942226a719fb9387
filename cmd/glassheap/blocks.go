package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect/render"
)

func newBlocks(t *terminal) *cobra.Command {
	var o opening
	var all bool
	c := &cobra.Command{
		Use:     "blocks TARGET SLAB",
		Short:   "the blocks of a slab: where each is, what was asked for, its seal",
		Long:    "blocks lists the blocks of a slab, named by its number (see slabs) or by any\naddress inside it.",
		Example: "  glassheap blocks 4711 17\n  glassheap blocks 4711 0x7f68f6eb2a40",
	}
	o.addFlags(c)
	c.Flags().BoolVar(&all, "all", false, "list blocks that were never handed out too")
	c.Args = o.arguments(1, 1, "a target and a slab")
	c.RunE = func(c *cobra.Command, args []string) error {
		heap, h, rest, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		slab, err := parseSlab(rest[0], name)
		if err != nil {
			return err
		}
		r, err := h.Blocks(slab)
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Blocks(w, r, t.style(name), all) })
	}
	return c
}

// parseSlab reads what names a slab: its number, or an address inside it.
func parseSlab(text, heap string) (uint64, error) {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n, nil
	}
	address, err := parseAddress(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no slab: write its number or an address (`glassheap slabs %s` lists them)", text, heap)
	}
	return address, nil
}
