package render

import (
	"strings"
	"unicode"
)

// visible makes a text from elsewhere safe to print: it could carry line breaks or a terminal's control sequences.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, text)
}

// visibleLines is visible for a text of several lines, which may be indented by tabs.
func visibleLines(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			return '·'
		}
		return r
	}, text)
}
