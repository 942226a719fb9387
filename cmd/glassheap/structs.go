package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func newStructs(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var all, fields bool
	var options inspect.StructsOptions
	c := &cobra.Command{
		Use:   "structs TARGET",
		Short: "have my structs been initialised properly? field by field",
		Long: `structs judges every field of every struct of the heap's memory: what it holds,
what it should hold, and what that follows from. By default it shows a line for
each struct and every field that is wrong; --fields shows all. Of each type it
shows at most 1000 structs with a wrong field, and counts the others.`,
		Example: "  glassheap structs 4711\n  glassheap structs 4711 --wrong\n  glassheap structs 4711 --type Slab --fields",
	}
	o.addFlags(c)
	c.Flags().BoolVar(&all, "all", false, "show every struct, not only the first of each type and those that are wrong")
	c.Flags().BoolVar(&fields, "fields", false, "show every field of the structs that are shown")
	c.Flags().BoolVar(&options.Wrong, "wrong", false, "show only structs with a wrong field")
	c.Flags().StringVar(&options.Type, "type", "", "only structs of this type: "+strings.Join(inspect.StructTypes(), ", "))
	_ = c.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(inspect.StructTypes(), cobra.ShellCompDirectiveNoFileComp))
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		if options.Type != "" && !slices.ContainsFunc(inspect.StructTypes(), func(name string) bool { return strings.EqualFold(name, options.Type) }) {
			return fmt.Errorf("--type %q: there are %s", options.Type, strings.Join(inspect.StructTypes(), ", "))
		}
		heap, h, _, name, err := o.decoded(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		if !all && !t.json {
			options.Most = structsShown
		}
		if !all {
			options.MostWrong = wrongStructsShown
		}
		r, err := h.Structs(c.Context(), options)
		if err != nil {
			return err
		}
		err = t.answer(r, func(w io.Writer) error { return render.Structs(w, r, t.style(name), fields) })
		if err == nil && !r.Healthy() {
			err = errFound
		}
		return err
	}
	return c
}

// How many structs of each type are shown unless all are wanted: healthy ones, and those with a wrong field.
const (
	structsShown      = 8
	wrongStructsShown = 1000
)
