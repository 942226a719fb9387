package debugging

import (
	"regexp"
	"strings"
)

// MostLines is how long an answer may be where Readable shortens it, unless it has to be seen in full.
const MostLines = 24

// Readable takes from a transcript what only tires a reader: of an answer of more lines than most, all but its beginning and its
// end; the paths of this repository; what goes beyond the width of a page.
func Readable(transcript string, most int) string {
	transcript = strings.ReplaceAll(transcript, "github.com/glassheap/glassheap/", "")
	transcript = ownPath.ReplaceAllString(transcript, "./$1")
	var lines, answer []string
	put := func() {
		if len(answer) > most {
			answer = append(append(answer[:4:4], "…"), answer[len(answer)-3:]...)
		}
		lines = append(lines, answer...)
		answer = nil
	}
	for line := range strings.SplitSeq(strings.TrimSpace(transcript), "\n") {
		if prompt.MatchString(line) {
			put()
		}
		answer = append(answer, narrow(strings.TrimRight(line, " "))...)
	}
	put()
	return strings.Join(lines, "\n")
}

// narrow cuts a line of a stack, and breaks any other as a terminal does, but between words.
func narrow(line string) (lines []string) {
	const columns = 100
	for {
		runes := []rune(line)
		if len(runes) <= columns {
			return append(lines, line)
		}
		if line[0] == '#' || line[0] == '>' {
			return []string{string(runes[:columns-1]) + "…"}
		}
		first := string(runes[:columns])
		if at := strings.LastIndex(first, " "); at > 0 {
			first = first[:at]
		}
		lines, line = append(lines, first), strings.TrimSpace(line[len(first):])
	}
}

// The lines behind which another answer begins: the program's last words are one, too.
var (
	prompt  = regexp.MustCompile(`^(\$|\((dlv|gdb)\)|panic:) `)
	ownPath = regexp.MustCompile(`[^\s(]*/(tests/(?:tutorial|realworld)/)`)
)
