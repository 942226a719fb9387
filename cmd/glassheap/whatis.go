package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect/render"
)

func newWhatis(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	c := &cobra.Command{
		Use:   "whatis TARGET ADDRESS",
		Short: "what does this address belong to?",
		Long: `whatis says of any address what is there: which block, how far inside, its
place, its seal and its neighbours; or which field of which struct; or why
nothing is there.

Exit status: 1 if the block is damaged.`,
		Example: "  glassheap whatis 4711 0x7f68f6eb2a52",
	}
	o.addFlags(c)
	c.Args = o.arguments(1, 1, "a target and an address")
	c.RunE = func(c *cobra.Command, args []string) error {
		a, err := o.at(c.Context(), args)
		if err != nil {
			return err
		}
		defer a.target.Close()
		r, err := a.Whatis(a.address)
		if err != nil {
			return err
		}
		err = t.answer(r, func(w io.Writer) error { return render.Whatis(w, r, t.style(a.name)) })
		if err == nil && r.Finding != nil {
			err = errFound
		}
		return err
	}
	return c
}
