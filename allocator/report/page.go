package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Color says what a piece of text means, for whoever shows that.
type Color int

// The colours of a page.
const (
	Damaged Color = iota // what was damaged
	Live                 // what is well, and in use
	Cached               // what waits for use
	Dim                  // what goes without saying
	Strong               // what an answer is about
	Unsure               // what may be either
)

// Style says how text is written. The zero Style is plain text of 80 columns.
type Style struct {
	Width   int                        // columns; 0: UsualWidth
	Paint   func(Color, string) string // nil: no colours
	Measure func(string) int           // how many columns a text takes, painted or not; nil: its runes
}

// UsualWidth is how wide text is when nothing is known of the terminal.
const UsualWidth = 80

// Page is text that is being written. The first error of the writer ends it, and stays.
type Page struct {
	Err   error
	w     io.Writer
	style Style
}

// NewPage is an empty page.
func NewPage(w io.Writer, s Style) *Page {
	if s.Width <= 0 {
		s.Width = UsualWidth
	}
	return &Page{w: w, style: s}
}

// Printf writes to the page.
func (p *Page) Printf(format string, values ...any) {
	if p.Err == nil {
		_, p.Err = fmt.Fprintf(p.w, format, values...)
	}
}

// Paint colours a text, where colours are wanted.
func (p *Page) Paint(c Color, s string) string {
	if p.style.Paint == nil || s == "" {
		return s
	}
	return p.style.Paint(c, s)
}

// Columns is how many columns a text takes.
func (p *Page) Columns(s string) int {
	if p.style.Measure == nil {
		return utf8.RuneCountInString(s)
	}
	return p.style.Measure(s)
}

// Prose writes a sentence behind a label. What does not fit in a line goes on below, under the sentence's first word.
func (p *Page) Prose(label, sentence string) {
	p.Flow(label, strings.Repeat(" ", p.Columns(label)), strings.Fields(sentence), " ")
}

// Clauses writes a sentence like Prose, but ends a line after a comma, colon or semicolon rather than between other words,
// and indents what goes on below.
func (p *Page) Clauses(label, indent, sentence string) {
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
		if p.Columns(indent)+p.Columns(piece) > p.style.Width {
			pieces = strings.Fields(sentence)
			break
		}
	}
	p.Flow(label, indent, pieces, " ")
}

// Flow writes pieces in lines that are no wider than the page: the first behind label, the others behind indent.
func (p *Page) Flow(label, indent string, pieces []string, separator string) {
	line, used := label, 0
	for _, piece := range pieces {
		if used > 0 && p.Columns(line)+p.Columns(separator)+p.Columns(piece) > p.style.Width {
			p.Printf("%s\n", strings.TrimRight(line+strings.TrimRight(separator, " ;"), " "))
			line, used = indent, 0
		}
		if used > 0 {
			line += separator
		}
		line += piece
		used++
	}
	p.Printf("%s\n", line)
}

// Command writes a command to run, behind a label, and what for where that fits.
func (p *Page) Command(label, command, why string) {
	line := label + command
	if p.Columns(line)+3+p.Columns(why) > p.style.Width {
		p.Printf("%s\n", line)
		return
	}
	p.Printf("%s   %s\n", line, p.Paint(Dim, why))
}
