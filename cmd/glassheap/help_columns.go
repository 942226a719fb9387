package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
)

// newColumnsTopic is help that belongs to several commands: what can be asked of lists.
func newColumnsTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "columns",
		Short: "--where, --columns and --sort: what can be asked of lists",
		Long:  columnsHelp(),
	}
}

func columnsHelp() string {
	var b strings.Builder
	b.WriteString(`These commands list rows, and take the same flags:

  --where EXPR      only rows of which the expression is true
  --sort [-]COLUMN  in the order of a column; with -, the largest first
  --limit N         N rows at most (leaks and diff: --top, log: --last)
  --columns A,B,C   as a plain table of these columns; with --json, as objects
                    with these keys

  glassheap blocks 4711 --where 'size > 64 && state == "live"' --sort -size
  glassheap slabs 4711 --where 'live == 0' --columns slab,bin,pages
  glassheap leaks 4711 --where 'site contains "cache"'
  glassheap ps --where 'hold == "orphaned"'

Expressions compare columns with numbers (0x… too) and with "texts":

  == != < <= > >=     && || !, or: and or not      + - * / %     ? :
  in ["live", "free"]       site contains "x"      site startsWith "main."
  site endsWith ".load"     site matches "^main[.].*cache"
  len lower upper trim abs min max, as in lower(site) contains "cache"

What is not known is 0, "" or false in an expression, – in a table and null in
JSON; in an order it comes last. Rows are listed as they are read, in the same
memory however many there are. --sort without a limit has to hold them all:
`)
	fmt.Fprintf(&b, "%d MB for each million blocks, and up to twice that while it works.\n", query.BytesOf[inspect.BlockRow]())
	for _, c := range inspect.ListColumns() {
		fmt.Fprintf(&b, "\nglassheap %s: %s\n", c.Command, c.Named())
		heads := c.Heads()
		names, kinds := 0, 0
		for _, h := range heads {
			names, kinds = max(names, len(h.Name)), max(kinds, len(h.Kind.String()))
		}
		for _, h := range heads {
			meaning := h.Meaning
			if h.Kind == query.Word {
				meaning += ": " + strings.Join(h.Choices, ", ")
			}
			start := fmt.Sprintf("  %-*s  %-*s  ", names, h.Name, kinds, h.Kind)
			for _, line := range wrapped(meaning, 80-len(start)) {
				b.WriteString(start + line + "\n")
				start = strings.Repeat(" ", len(start))
			}
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
