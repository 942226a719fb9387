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
	Width  int    // columns; 0: 80
	Target string // how the heap is named in the commands that the text suggests: "4711"
}

// The widths of text: what it takes when nothing is known of the terminal, and at most, for lines that are too long are
// hard to read.
const (
	usualWidth = 80
	mostWidth  = 120
)

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
		s.Width = usualWidth
	}
	s.Width = min(s.Width, mostWidth)
	return &page{Style: s, w: w}
}

func (p *page) printf(format string, values ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, values...)
	}
}

// paint colours a text, where colours are wanted: that is for the Style to say, whatever the environment says.
func (p *page) paint(c text.Colors, s string) string {
	if !p.Color || s == "" {
		return s
	}
	return text.Escape(s, c.EscapeSeq())
}

// width is how many columns a text takes.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// prose writes a sentence behind a label. What does not fit in a line goes on below, under the sentence's first word.
func (p *page) prose(label, sentence string) {
	p.flow(label, strings.Repeat(" ", width(label)), strings.Fields(sentence), " ")
}

// phrases writes phrases on one line if they fit, else as many on each as fit.
func (p *page) phrases(separator string, phrases ...string) { p.flow("", "", phrases, separator) }

// flow writes pieces in lines that are no wider than the page: the first behind label, the others behind indent.
func (p *page) flow(label, indent string, pieces []string, separator string) {
	line, used := label, 0
	for _, piece := range pieces {
		if used > 0 && width(line)+width(separator)+width(piece) > p.Width {
			p.printf("%s\n", strings.TrimRight(line+strings.TrimRight(separator, " ;"), " "))
			line, used = indent, 0
		}
		if used > 0 {
			line += separator
		}
		line += piece
		used++
	}
	p.printf("%s\n", line)
}

// heap writes the lines that open every answer: which heap it is about. counts go before those that every answer gives.
func (p *page) heap(s inspect.Summary, counts ...string) {
	counts = append([]string{count(s.Arenas, "arena")}, append(counts, count(uint64(s.Slabs), "slab"), count(uint64(s.Spans), "span"))...)
	head := fmt.Sprintf("heap %s in %s", p.paint(strong, fmt.Sprintf("%q", s.Name)), s.Owner)
	if s.Mode == "" { // the header is damaged
		p.prose("", fmt.Sprintf("a heap in %s", s.Owner))
		return
	}
	whole := head + ", " + s.Mode + ", " + strings.Join(counts, ", ")
	if width(whole) <= p.Width {
		p.printf("%s\n", whole)
		return
	}
	p.prose("", head+", "+s.Mode)
	p.phrases(", ", counts...)
}

// next writes the line that closes an answer: the command to run now.
func (p *page) next(command, why string) {
	line := p.paint(dim, "next") + "  " + command
	if width(line)+3+width(why) > p.Width {
		p.printf("%s\n", line)
		return
	}
	p.printf("%s   %s\n", line, p.paint(dim, why))
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
	t.SetStyle(style)
	painted := make(table.Row, len(header))
	for i, name := range header {
		painted[i] = p.paint(dim, fmt.Sprint(name))
	}
	t.AppendHeader(painted)
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

// number is a number with a comma after each three digits.
func number[T ~int | ~uint64 | ~uint32](n T) string { return humanize.Comma(int64(n)) }

// size is a number of bytes for people.
func size(bytes uint64) string { return humanize.IBytes(bytes) }

// duration is a duration for people, with three digits.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}
