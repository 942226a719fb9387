package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect/render"
)

func newHexdump(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	c := &cobra.Command{
		Use:     "hexdump TARGET ADDRESS [BYTES]",
		Short:   "bytes of memory: data, slack, seals, and what is damaged",
		Long:    "hexdump shows bytes with what they are. Without BYTES it shows the whole block\nthat the address lies in, or 256 bytes where there is none.",
		Example: "  glassheap hexdump 4711 0x7f68f6eb2a40\n  glassheap hexdump 4711 0x7f68f6eb2a40 512",
	}
	o.addFlags(c)
	c.Args = o.arguments(1, 2, "a target, an address and at most a number of bytes")
	c.RunE = func(c *cobra.Command, args []string) error {
		a, err := o.at(c.Context(), args)
		if err != nil {
			return err
		}
		defer a.target.Close()
		bytes := 0
		if len(a.rest) > 0 {
			n, err := strconv.ParseInt(a.rest[0], 0, 32)
			if err != nil || n <= 0 {
				return fmt.Errorf("%q is no number of bytes: write one like 64 or 0x40", a.rest[0])
			}
			bytes = int(n)
		}
		r, err := a.Hexdump(a.address, bytes)
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Hexdump(w, r, t.style(a.name)) })
	}
	return c
}
