package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect/render"
)

func newHistory(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	c := &cobra.Command{
		Use:   "history TARGET ADDRESS",
		Short: "what happened to the block at this address?",
		Long: `history tells what is at an address now, who allocated the block, who freed it,
and which operations the logs of audit mode remember there.`,
		Example: "  glassheap history 4711 0x7f68f6eb2a52",
	}
	o.addFlags(c)
	c.Args = o.arguments(1, 1, "a target and an address")
	c.RunE = func(c *cobra.Command, args []string) error {
		a, err := o.at(c.Context(), args)
		if err != nil {
			return err
		}
		defer a.target.Close()
		r, err := a.History(a.address)
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.History(w, r, t.style(a.name)) })
	}
	return c
}
