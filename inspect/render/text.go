package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
)

// Style says how text is written.
type Style struct {
	Color  bool
	Width  int    // columns; 0: 80
	Target string // how the heap is named in the commands that the text suggests: "4711"
}

// mostWidth is how wide text is at most: lines that are too long are hard to read.
const mostWidth = 120

// What the colours of a page mean, and how a terminal shows them.
const (
	damaged = report.Damaged
	live    = report.Live
	dim     = report.Dim
	cached  = report.Cached
	strong  = report.Strong
	unsure  = report.Unsure
)

var colors = map[report.Color]text.Colors{
	damaged: {text.FgRed, text.Bold}, live: {text.FgGreen}, dim: {text.Faint}, cached: {text.FgCyan}, strong: {text.Bold}, unsure: {text.FgYellow},
}

// page is text that is being written.
type page struct {
	Style
	*report.Page
	w io.Writer
}

func newPage(w io.Writer, s Style) *page {
	if s.Width <= 0 {
		s.Width = report.UsualWidth
	}
	s.Width = min(s.Width, mostWidth)
	style := report.Style{Width: s.Width, Measure: width}
	if s.Color { // that is for the Style to say, whatever the environment says
		style.Paint = func(c report.Color, s string) string { return text.Escape(s, colors[c].EscapeSeq()) }
	}
	return &page{Style: s, Page: report.NewPage(w, style), w: w}
}

// width is how many columns a text takes.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// phrases writes phrases on one line if they fit, else as many on each as fit.
func (p *page) phrases(separator string, phrases ...string) { p.Flow("", "", phrases, separator) }

// heap writes the lines that open an answer: which heap it is about, and how large it is.
func (p *page) heap(s inspect.Summary) {
	p.heapWith(s, count(s.Arenas, "arena"), count(uint64(s.Slabs), "slab"), count(uint64(s.Spans), "span"))
}

// inQuarantine is how many blocks are held back, if any.
func inQuarantine(s inspect.Summary) []string {
	if s.Quarantined == 0 {
		return nil
	}
	return []string{number(s.Quarantined) + " in quarantine"}
}

// heapWith is heap with the figures that an answer wants to show.
func (p *page) heapWith(s inspect.Summary, counts ...string) {
	if s.Mode == "" {
		p.unreadable(s)
		return
	}
	head := fmt.Sprintf("heap %s in %s, %s", p.Paint(strong, fmt.Sprintf("%q", s.Name)), s.Owner, modeOf(s))
	if whole := head + ", " + strings.Join(counts, ", "); width(whole) <= p.Width {
		p.Printf("%s\n", whole)
		return
	}
	p.Prose("", head)
	p.phrases(", ", counts...)
}

// modeOf is the mode of a heap, and its format where that is not this program's.
func modeOf(s inspect.Summary) string {
	if s.Format == "" {
		return s.Mode
	}
	return s.Mode + ", " + s.Format
}

// unreadable writes the line that opens an answer about a heap of which nothing can be believed.
func (p *page) unreadable(s inspect.Summary) {
	p.Prose("", fmt.Sprintf("a heap in %s, whose header is damaged", s.Owner))
}

// next writes the line that closes an answer: the command to run now.
func (p *page) next(command, why string) { p.Command(p.Paint(dim, "next")+"  ", command, why) }

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

// count is a number with its noun: "3 arenas".
func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// agree is the form of a verb that goes with a count: "has" or "have".
func agree(n uint64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// number is a number with a comma after each three digits.
func number[T ~int | ~uint64 | ~uint32](n T) string { return humanize.Comma(int64(n)) }

// size is a number of bytes for people.
func size(bytes uint64) string { return humanize.IBytes(bytes) }

// duration is a duration for people, with three digits.
func duration(d time.Duration) string {
	switch {
	case d < 999_500*time.Nanosecond: // above, it rounds to a thousand
		return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
	case d < 999_500*time.Microsecond:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	case d < 100*time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
