package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/render"
)

// selection is the part of a command line that says which rows of a list are wanted, and how they are shown.
type selection struct{ query.Words }

// addFlags adds the flags. Commands that have a flag of their own for how many rows are listed have no --limit.
func (s *selection) addFlags(c *cobra.Command, columns inspect.Columned, limit bool) {
	c.Flags().StringVar(&s.Where, "where", "", "only rows of which this expression is true: see glassheap help columns")
	c.Flags().StringVar(&s.Columns, "columns", "", "show a plain table of these columns, with commas between them")
	c.Flags().StringVar(&s.Sort, "sort", "", "order rows by this column; -column: the largest first")
	if limit {
		c.Flags().IntVar(&s.Limit, "limit", 0, "list this many rows; 0: all")
	}
	names := func(ascending, descending bool) (list []string) {
		for _, h := range columns.Heads() {
			if ascending {
				list = append(list, cobra.CompletionWithDesc(h.Name, h.Meaning))
			}
			if descending {
				list = append(list, cobra.CompletionWithDesc("-"+h.Name, h.Meaning))
			}
		}
		return list
	}
	_ = c.RegisterFlagCompletionFunc("where", cobra.NoFileCompletions)
	_ = c.RegisterFlagCompletionFunc("sort", func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return names(!strings.HasPrefix(typed, "-"), true), cobra.ShellCompDirectiveNoFileComp
	})
	_ = c.RegisterFlagCompletionFunc("columns", func(_ *cobra.Command, _ []string, typed string) (list []string, _ cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		for _, name := range names(true, false) {
			list = append(list, before+name)
		}
		return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// list writes a list, as JSON or as a table.
func (t *terminal) list(l *inspect.Listing, name string) error {
	if t.json {
		return render.ListJSON(t.out, l)
	}
	return render.List(t.out, l, t.style(name))
}

// answerOrList writes an answer, or the table of its rows if columns were chosen.
func answerOrList[R any](t *terminal, q *query.Query[R], rows []R, heap inspect.Summary, notes []string, name string, answer any, text func(io.Writer) error) error {
	if q.Chosen() {
		return t.list(inspect.ListOf(heap, q, rows, notes), name)
	}
	return t.answer(answer, text)
}
