package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

func newMath(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var geometry, mode string
	c := &cobra.Command{
		Use:   "math [TARGET]",
		Short: "are my calculations right? each figure: formula, derived, stored",
		Long: `math derives the figures of a heap's geometry from first principles and holds
them against what the heap has stored: in its bins, and in every slab that it
has made. Without a target it makes a heap of the geometry and the mode that
--geometry and --mode name, cuts a slab for each bin, and looks at that.`,
		Example: "  glassheap math --geometry notes\n  glassheap math --geometry notes --mode sealed\n  glassheap math 4711",
	}
	o.addFlags(c)
	c.Flags().StringVar(&geometry, "geometry", "default", "geometry of the heap that is made when there is no target: default, notes or aligned")
	c.Flags().StringVar(&mode, "mode", "plain", "its mode: plain, sealed or audit")
	_ = c.RegisterFlagCompletionFunc("geometry", cobra.FixedCompletions([]string{"default", "notes", "aligned"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions([]string{"plain", "sealed", "audit"}, cobra.ShellCompDirectiveNoFileComp))
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 && len(o.names()) == 0 {
			return nil
		}
		if c.Flags().Changed("geometry") || c.Flags().Changed("mode") {
			return errors.New("--geometry and --mode are for the heap that math makes when there is no target: a target has its own")
		}
		return o.arguments(0, 0, "a target or none")(c, args)
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		var r *inspect.MathReport
		var err error
		name := ""
		if len(args) == 0 && !o.named() {
			r, err = mathOfFresh(c.Context(), geometry, mode)
		} else {
			var heap target.Target
			var h *inspect.Heap
			heap, h, _, name, err = o.decoded(c.Context(), args)
			if err != nil {
				return err
			}
			defer heap.Close()
			r, err = h.Math(c.Context())
		}
		if err != nil {
			return err
		}
		err = t.answer(r, func(w io.Writer) error { return render.Math(w, r, t.style(name)) })
		if err == nil && r.Wrong > 0 {
			err = errFound
		}
		return err
	}
	return c
}

// mathOfFresh makes a heap, lets it cut a slab for each of its bins, and looks at it.
func mathOfFresh(ctx context.Context, geometry, mode string) (*inspect.MathReport, error) {
	g, err := layout.ParseGeometry(geometry)
	if err != nil {
		return nil, fmt.Errorf("--geometry: %w", err)
	}
	m, err := layout.ParseMode(mode)
	if err != nil {
		return nil, fmt.Errorf("--mode: %w", err)
	}
	h, err := allocator.New(allocator.Options{Name: "math", Geometry: g, Mode: m})
	if err != nil {
		return nil, err
	}
	defer h.Close()
	for _, class := range layout.Classes(g, m.SealBytes()) {
		p, err := h.Malloc(int(class.Size))
		if err != nil {
			return nil, err
		}
		if err := h.FreePointer(p); err != nil {
			return nil, err
		}
	}
	self, err := target.Self(target.Options{Heap: "math"})
	if err != nil {
		return nil, err
	}
	defer self.Close()
	heap, err := inspect.Open(ctx, self)
	if err != nil {
		return nil, err
	}
	return heap.Math(ctx)
}
