package query

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error says which of the user's words are not understood, and what is. It points at them.
type Error struct {
	Flag    string // "--where"
	Text    string // what the user typed; empty: the problem says it
	At      int    // the character that the problem begins at, counted from 0
	Length  int    // of what it is about; 0: one character
	Problem string
	Hint    string // what would be right; empty: the problem says it
}

// mostShown is how much of a long text an error shows, in characters.
const mostShown = 72

// Error is the problem, the text with carets below what it is about, and what would be right.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Flag, e.Problem)
	if e.Text != "" {
		shown, at := e.excerpt()
		fmt.Fprintf(&b, "\n    %s\n    %s%s", shown, strings.Repeat(" ", at), strings.Repeat("^", max(1, min(e.Length, utf8.RuneCountInString(shown)-at))))
	}
	if e.Hint != "" {
		b.WriteString("\n" + folded(e.Hint))
	}
	return b.String()
}

// excerpt is the text, or the part of it around the problem, on one line and safe to print, and where the problem is in it.
func (e *Error) excerpt() (shown string, at int) {
	runes := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, e.Text))
	at = max(0, min(e.At, len(runes)))
	if len(runes) <= mostShown {
		return string(runes), at
	}
	from := max(0, min(at-mostShown/2, len(runes)-mostShown))
	part := runes[from:min(len(runes), from+mostShown)]
	before, behind := "", ""
	if from > 0 {
		before = "…"
	}
	if from+mostShown < len(runes) {
		behind = "…"
	}
	return before + string(part) + behind, at - from + utf8.RuneCountInString(before)
}

// folded breaks a text into lines that fit every terminal.
func folded(text string) string {
	var b strings.Builder
	used := 0
	for _, word := range strings.Fields(text) {
		if used > 0 && used+1+len(word) > 79 {
			b.WriteByte('\n')
			used = 0
		}
		if used > 0 {
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += len(word)
	}
	return b.String()
}

// noColumn is the error for a name that no column has.
func (s *Set[R]) noColumn(flag, text, name string, at int) *Error {
	e := &Error{Flag: flag, Text: text, At: at, Length: utf8.RuneCountInString(name), Problem: fmt.Sprintf("%s have no column %q", s.Rows, name)}
	if name == "" {
		e.Problem = "a column's name is missing"
	}
	if near := nearest(name, s.Heads()); near != "" {
		e.Problem += ": did you mean " + near + "?"
	}
	e.Hint = "The columns are " + names(s.Heads()) + ". `glassheap help columns` says what each is."
	return e
}

// nearest is the column whose name takes the fewest changes; empty: none is near.
func nearest(name string, heads []Head) (best string) {
	fewest := 3
	for _, h := range heads {
		switch {
		case len(name) > 2 && len(name) < 40 && (strings.HasPrefix(h.Name, name) || strings.HasPrefix(name, h.Name)):
			return h.Name
		case len(name) < 40:
			if n := changes(strings.ToLower(name), h.Name); n < min(fewest, len(h.Name)) {
				best, fewest = h.Name, n
			}
		}
	}
	return best
}

// changes is how many letters have to be put in, taken out or replaced to make one word of another.
func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
