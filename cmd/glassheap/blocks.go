package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newBlocks(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var s selection
	var all bool
	c := &cobra.Command{
		Use:   "blocks TARGET [SLAB]",
		Short: "the blocks of a slab, or of all: where each is, its size, its seal",
		Long: `blocks lists the blocks of a slab, named by its number (see slabs) or by any
address inside it. Without one it lists those of all slabs, the large
allocations and the guarded blocks, a row for each, written while the heap is
read. Blocks that were never handed out are left out there, unless --all is
given or --where names the state.`,
		Example: `  glassheap blocks 4711 17
  glassheap blocks 4711 0x7f68f6eb2a40
  glassheap blocks 4711 --where 'size > 64 && site contains "cache"'
  glassheap blocks 4711 --where 'state == "live"' --sort -size --limit 20`,
	}
	o.addFlags(c)
	s.addFlags(c, &inspect.BlockColumns, true)
	c.Flags().BoolVar(&all, "all", false, "list blocks that were never handed out too")
	c.Args = o.arguments(0, 1, "a target and at most one slab")
	c.RunE = func(c *cobra.Command, args []string) error {
		q, err := inspect.BlockColumns.Parse(s.Words)
		if err != nil {
			return err
		}
		heap, h, rest, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		options := inspect.BlockOptions{Virgin: all}
		if options.OneSlab = len(rest) > 0; options.OneSlab {
			if options.Slab, err = parseSlab(rest[0], name); err != nil {
				return err
			}
		}
		if !options.OneSlab || q.Chosen() || q.Selects() {
			l, err := h.ListBlocks(c.Context(), options, q)
			if err != nil {
				return err
			}
			return t.list(l, name)
		}
		r, err := h.Blocks(options.Slab)
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
