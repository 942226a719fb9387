package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newSnapshot(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var options inspect.SnapshotOptions
	c := &cobra.Command{
		Use:   "snapshot TARGET FILE",
		Short: "keep the heap as it is now in a file",
		Long: `snapshot writes the heap's metadata and every page in use to a file, compressed.
The process is held still while that memory is copied. The file holds what the
program had in its memory: only its owner may read it.

With --metadata it leaves out what the program keeps in its blocks. Of these the
file has the seals only, so that check still finds what was written over a seal;
what lies before the seals is said to be missing, and is no finding. A seal that
was written over is kept as it is: up to eight bytes of who overran it.`,
		Example: "  glassheap snapshot 4711 before.snapshot\n  glassheap snapshot --metadata 4711 to-show.snapshot",
	}
	o.addFlags(c)
	c.Flags().BoolVar(&options.Metadata, "metadata", false, "leave out what the program keeps in its blocks")
	c.Args = o.arguments(1, 1, "a target and a file")
	c.RunE = func(c *cobra.Command, args []string) error {
		heap, rest, _, err := o.open(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		update, end := t.showProgress("compressing")
		options.Progress = update
		r, err := inspect.Snapshot(c.Context(), heap, rest[0], options)
		end()
		if err != nil {
			return err
		}
		return t.answer(r, func(w io.Writer) error { return render.Snapshot(w, r, t.style(quoted(rest[0]))) })
	}
	return c
}
