package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect/render"
)

func newDump(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	c := &cobra.Command{
		Use:   "dump TARGET STRUCT",
		Short: "the fields of one struct of the heap's memory",
		Long: `dump shows a struct field by field, by the schema that the heap carries. STRUCT
is one of

  header, identity, twin, bin N, arena N, slab N, span N, cache N,
  magazine CACHE.BIN, page N

or the address of a struct, or of a block (then its slab is shown).`,
		Example: "  glassheap dump 4711 header\n  glassheap dump 4711 slab 17\n  glassheap dump 4711 magazine 0.3",
	}
	o.addFlags(c)
	c.Args = o.arguments(1, 3, "a target and a struct")
	c.RunE = func(c *cobra.Command, args []string) error {
		heap, h, rest, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		r, err := h.Dump(strings.Join(rest, " "))
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Dump(w, r, t.style(name)) })
	}
	return c
}
