package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newLog(t *terminal) *cobra.Command {
	var o opening
	var wanted inspect.LogOptions
	var address, kind string
	c := &cobra.Command{
		Use:   "log TARGET",
		Short: "the last allocations and frees, newest first",
		Long: `log lists the operations that audit mode keeps, the last 1024 of each P, by
their numbers. Each P takes numbers in batches of 64, so between goroutines on
different Ps the order is only roughly that of time.`,
		Example: "  glassheap log 4711\n  glassheap log 4711 --function cache --kind free --last 0",
	}
	o.addFlags(c)
	c.Flags().StringVar(&address, "address", "", "only of blocks that held this address")
	c.Flags().Int64Var(&wanted.Size, "size", -1, "only of this many bytes")
	c.Flags().StringVar(&wanted.Function, "function", "", "only with this text in the name of a function of the stack")
	c.Flags().StringVar(&kind, "kind", "", "only of this kind: alloc or free")
	c.Flags().IntVar(&wanted.Last, "last", 20, "list this many; 0: all")
	_ = c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"alloc", "free"}, cobra.ShellCompDirectiveNoFileComp))
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if kind != "" {
			if wanted.Kind, err = inspect.ParseEventKind(kind); err != nil {
				return fmt.Errorf("--kind: %w", err)
			}
		}
		if address != "" {
			if wanted.Address, err = parseAddress(address); err != nil {
				return err
			}
		}
		heap, h, _, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		r, err := h.Log(wanted)
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Log(w, r, t.style(name)) })
	}
	return c
}
