package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newLog(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var s selection
	var wanted inspect.LogWords
	var address string
	var last int
	c := &cobra.Command{
		Use:   "log TARGET",
		Short: "the last allocations and frees, newest first",
		Long: `log lists the operations that audit mode keeps, the last 1024 of each P, by
their numbers. Each P takes numbers in batches of 64, so between goroutines on
different Ps the order is only roughly that of time.

--address, --size, --function and --kind are short for conditions: --kind free
for --where 'kind == "free"', --function x for 'stack contains "x"'. What is
given of these and of --where has to be true together.`,
		Example: "  glassheap log 4711\n  glassheap log 4711 --function cache --kind free --last 0\n  glassheap log 4711 --where 'size > 4096' --sort -size",
	}
	o.addFlags(c)
	s.addFlags(c, &inspect.LogColumns, false)
	c.Flags().StringVar(&address, "address", "", "only of blocks that held this address")
	c.Flags().Int64Var(&wanted.Size, "size", -1, "only of this many bytes")
	c.Flags().StringVar(&wanted.Function, "function", "", "only with this text in the name of a function of the stack")
	c.Flags().StringVar(&wanted.Kind, "kind", "", "only of this kind: alloc or free")
	c.Flags().IntVar(&last, "last", 20, "list this many; 0: all")
	_ = c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"alloc", "free"}, cobra.ShellCompDirectiveNoFileComp))
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if wanted.Kind != "" && wanted.Kind != "alloc" && wanted.Kind != "free" {
			return fmt.Errorf("--kind: an event is an alloc or a free, not %q", wanted.Kind)
		}
		if last < 0 {
			return fmt.Errorf("--last: how many events to list, 0 for all, not %d", last)
		}
		if address != "" {
			if wanted.Address, err = parseAddress(address); err != nil {
				return err
			}
		}
		s.And = wanted.Conditions()
		q, err := inspect.LogColumns.Parse(s.Words)
		if err != nil {
			return err
		}
		heap, h, _, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		r, err := h.Log(inspect.LogOptions{Query: q, Last: last})
		if err != nil {
			return err
		}
		return answerOrList(t, q, r.Events, r.Heap, r.Notes, name, r, func(w io.Writer) error { return render.Log(w, r, t.style(name)) })
	}
	return c
}
