package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/glassheap/glassheap/inspect"
)

// Style says how text is written.
type Style struct {
	Color  bool
	Width  int    // columns; 0: 100
	Target string // how the heap is named in the commands that the text suggests: "4711"
}

// The colours, by what they mean.
var (
	damaged = text.Colors{text.FgRed, text.Bold}
	live    = text.Colors{text.FgGreen}
	dim     = text.Colors{text.Faint}
	cached  = text.Colors{text.FgCyan}
	strong  = text.Colors{text.Bold}
	unsure  = text.Colors{text.FgYellow}
)

// page is text that is being written. The first error of the writer ends it, and stays.
type page struct {
	Style
	w   io.Writer
	err error
}

func newPage(w io.Writer, s Style) *page {
	if s.Width <= 0 {
		s.Width = 100
	}
	return &page{Style: s, w: w}
}

func (p *page) printf(format string, values ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, values...)
	}
}

// paint colours a text, where colours are wanted.
func (p *page) paint(c text.Colors, s string) string {
	if !p.Color || s == "" {
		return s
	}
	return c.Sprint(s)
}

// heap writes the line that opens every answer: which heap it is about.
func (p *page) heap(s inspect.Summary) {
	p.printf("heap %s in %s, %s, %s, %s, %s\n", p.paint(strong, fmt.Sprintf("%q", s.Name)), s.Owner, s.Mode,
		count(s.Arenas, "arena"), count(uint64(s.Slabs), "slab"), count(uint64(s.Spans), "span"))
}

// next writes the line that closes an answer: the command to run now.
func (p *page) next(command, why string) {
	p.printf("%s %s   %s\n", p.paint(dim, "next"), command, p.paint(dim, why))
}

// command is a command about this heap: the name, the target, the rest.
func (p *page) command(name, rest string) string {
	words := []string{"glassheap", name}
	if p.Target != "" {
		words = append(words, p.Target)
	}
	if rest != "" {
		words = append(words, rest)
	}
	return strings.Join(words, " ")
}

// table writes rows below a header. Columns are as wide as they need to be; those in right are aligned to the right.
func (p *page) table(header table.Row, rows []table.Row, right ...int) {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.Options{SeparateColumns: true, DrawBorder: false, SeparateHeader: false}
	style.Box = table.BoxStyle{PaddingRight: " ", MiddleVertical: " "}
	style.Format.Header = text.FormatDefault
	if p.Color {
		style.Color.Header = dim
	}
	t.SetStyle(style)
	t.AppendHeader(header)
	t.AppendRows(rows)
	var columns []table.ColumnConfig
	for _, n := range right {
		columns = append(columns, table.ColumnConfig{Number: n + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	for _, line := range strings.Split(t.Render(), "\n") {
		p.printf("%s\n", strings.TrimRight(line, " "))
	}
}

// count is a number with its noun: "3 arenas".
func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}

// size is a number of bytes for people.
func size(bytes uint64) string { return humanize.IBytes(bytes) }

// span is a duration for people, with three digits.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}
