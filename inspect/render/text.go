package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
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

// clauses writes a sentence like prose, but ends a line after a comma, colon or semicolon rather than between other words,
// and indents what goes on below.
func (p *page) clauses(label, indent, sentence string) {
	var pieces []string
	piece := ""
	for _, word := range strings.Fields(sentence) {
		piece = strings.TrimLeft(piece+" "+word, " ")
		if strings.ContainsAny(word[len(word)-1:], ",:;") {
			pieces, piece = append(pieces, piece), ""
		}
	}
	if piece != "" {
		pieces = append(pieces, piece)
	}
	for _, piece := range pieces {
		if width(indent)+width(piece) > p.Width {
			pieces = strings.Fields(sentence)
			break
		}
	}
	p.flow(label, indent, pieces, " ")
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
	head := fmt.Sprintf("heap %s in %s, %s", p.paint(strong, fmt.Sprintf("%q", s.Name)), s.Owner, modeOf(s))
	if whole := head + ", " + strings.Join(counts, ", "); width(whole) <= p.Width {
		p.printf("%s\n", whole)
		return
	}
	p.prose("", head)
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
	p.prose("", fmt.Sprintf("a heap in %s, whose header is damaged", s.Owner))
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

// count is a number with its noun: "3 arenas".
func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
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
