package tutorial

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/dlvscripts"
	"github.com/glassheap/glassheap/gdb"
	"github.com/glassheap/glassheap/internal/debugging"
)

// inDelve is what is typed at each lesson's program in Delve.
var inDelve = map[string][]string{
	"bintable":   {"gh_break init", "continue", "gh_structs --wrong"},
	"arithmetic": {"break main.wait", "continue", "gh_math"},
	"overflow":   {"break main.wait", "continue", "gh_check", "restart", "break main.overwrite", "continue", "gh_watch block", "continue"},
	"doublefree": {
		"gh_break violation", "continue", "stack 6",
		"restart", "break main.(*book).enter", "continue", "continue", "gh_break free block", "continue",
	},
}

// inGDB is the same in GDB.
var inGDB = map[string][]string{
	"bintable":   {"glassheap break init", "run", "glassheap structs --wrong"},
	"arithmetic": {"break main.wait", "run", "glassheap math"},
	"overflow":   {"break main.overwrite", "run", "glassheap watch block.array", "continue", "backtrace", "glassheap check"},
	"doublefree": {"glassheap break violation", "run", "backtrace"},
}

// inShell is what the command is asked about the waiting program. PID is the process, BLOCK the address that an answer named.
var inShell = map[string][]string{
	"bintable":   {"structs PID --wrong", "check PID"},
	"arithmetic": {"math PID"},
	"overflow":   {"check PID", "whatis PID BLOCK", "hexdump PID BLOCK"},
	"doublefree": {"check PID", "whatis PID BLOCK"},
}

func playDelve(t *testing.T, lesson string) string {
	initFile, err := dlvscripts.Unpack(debugging.Folder, dlvscripts.Options{}, "")
	require.NoError(t, err)
	r := debugging.Record(debugging.StartDelve(t, "../..", initFile, "exec", program(t, lesson)))
	r.Typed(inDelve[lesson]...)
	return readable(r.Text.String(), 1000)
}

// playFastPath does what the document begins with: a breakpoint is in an init file, the rest is typed.
func playFastPath(t *testing.T, _ string) string {
	initFile, err := dlvscripts.Unpack(debugging.Folder, dlvscripts.Options{}, "overflow/stop.dlv")
	require.NoError(t, err)
	d := debugging.StartDelve(t, "../..", initFile, "debug", "./tests/tutorial/overflow", "--output", filepath.Join(t.TempDir(), "overflow"))
	r := debugging.Record(d)
	r.Typed("gh_watch block", "continue")
	return readable(r.Text.String(), 1000)
}

func playGDB(t *testing.T, lesson string) string {
	g := debugging.NewGDB(t, gdb.Find, gdb.Unpack)
	transcript := debugging.NormalGDB(g.Play(t, t.Context(), "set filename-display basename\n"+strings.Join(inGDB[lesson], "\n"), program(t, lesson)))
	_, transcript, _ = strings.Cut(transcript, "\n")
	return readable(transcript, mostLines)
}

var (
	named      = regexp.MustCompile(`(?:block +|of )(0x[0-9a-f]+)`)
	stoppedFor = regexp.MustCompile(`(the process was stopped for ).*`)
	asked      = regexp.MustCompile(`(glassheap (?:check|structs|math|whatis|hexdump|dump) )\d+`)
	baseLine   = regexp.MustCompile(`"base": "(0x[0-9a-f]+)"`)
)

// playShell runs the program to where it waits, asks the command, and lets it go on.
func playShell(t *testing.T, lesson string) string {
	p, said := startVictim(t, lesson)
	base := baseLine.FindStringSubmatch(debugging.Ask(t, "stats", p.PID(), "--json"))
	require.NotNil(t, base)
	var text strings.Builder
	text.WriteString("$ ./" + lesson + "\n" + said)
	block := ""
	for _, question := range inShell[lesson] {
		if found := named.FindStringSubmatch(text.String()); found != nil {
			block = found[1]
		}
		line := strings.NewReplacer("PID", p.PID(), "BLOCK", block).Replace(question)
		text.WriteString("$ glassheap " + line + "\n" + debugging.Ask(t, strings.Fields(line)...))
	}
	after, _ := p.End()
	after, _, _ = strings.Cut(after, "\n") // a panic's stack is long
	if after != "" {
		text.WriteString(after + "\n…\n")
	}
	transcript := debugging.NormalGDB(text.String() + "(heap) " + base[1] + " " + endOf(base[1]) + "\n")
	transcript = stoppedFor.ReplaceAllString(asked.ReplaceAllString(transcript, "${1}4711"), "${1}300 µs")
	return readable(debugging.HideSeals(transcript), mostLines)
}

// endOf is an address behind a heap that starts at base.
func endOf(base string) string {
	start, _ := strconv.ParseUint(base, 0, 64)
	return "0x" + strconv.FormatUint(start+1<<32, 16)
}

// mostLines is how long an answer may be in GDB and in the shell, where it is the one that Delve's session shows in full.
const mostLines = 24

// readable takes away what only tires a reader.
func readable(transcript string, most int) string {
	transcript = strings.ReplaceAll(transcript, module+"/", "")
	transcript = ownPath.ReplaceAllString(transcript, "./tests/tutorial/")
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
	ownPath = regexp.MustCompile(`[^\s(]*/tests/tutorial/`)
)
