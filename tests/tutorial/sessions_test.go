package tutorial

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/dlvscripts"
	"github.com/glassheap/glassheap/gdb"
	"github.com/glassheap/glassheap/internal/debugging"
	"github.com/glassheap/glassheap/internal/delvesession"
	"github.com/glassheap/glassheap/internal/gdbsession"
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
	initFile, err := dlvscripts.Unpack(built, dlvscripts.Options{}, "")
	require.NoError(t, err)
	r := delvesession.Record(delvesession.Start(t, "../..", initFile, "exec", program(t, lesson)))
	r.Typed(inDelve[lesson]...)
	return readable(r.Text.String(), 1000)
}

// playFastPath does what the document begins with: a breakpoint is in an init file, the rest is typed.
func playFastPath(t *testing.T, _ string) string {
	initFile, err := dlvscripts.Unpack(built, dlvscripts.Options{}, "overflow/stop.dlv")
	require.NoError(t, err)
	s := delvesession.Start(t, "../..", initFile, "debug", "./tests/tutorial/overflow", "--output", filepath.Join(t.TempDir(), "overflow"))
	r := delvesession.Record(s)
	r.Typed("gh_watch block", "continue")
	return readable(r.Text.String(), 1000)
}

func playGDB(t *testing.T, lesson string) string {
	path, err := gdb.Find(t.Context(), "")
	if err != nil {
		gdbsession.Skip(t, err.Error())
	}
	script, err := gdb.Unpack(built)
	require.NoError(t, err)
	binary, err := glassheap()
	require.NoError(t, err, binary)
	s := gdbsession.Session{GDB: path, Scripts: script, Player: debugging.Session(t), Environment: []string{gdb.ProgramVariable + "=" + binary}}
	transcript := gdbsession.Normal(s.Play(t, t.Context(), "set filename-display basename\n"+strings.Join(inGDB[lesson], "\n"), program(t, lesson)))
	_, transcript, _ = strings.Cut(transcript, "\n")
	return readable(transcript, mostLines)
}

var (
	named      = regexp.MustCompile(`(?:block +|of )(0x[0-9a-f]+)`)
	stoppedFor = regexp.MustCompile(`(the process was stopped for ).*`)
	asked      = regexp.MustCompile(`(glassheap (?:check|structs|math|whatis|hexdump) )\d+`)
	baseLine   = regexp.MustCompile(`"base": "(0x[0-9a-f]+)"`)
)

// playShell runs the program to where it waits, asks the command, and lets it go on.
func playShell(t *testing.T, lesson string) string {
	v := startVictim(t, lesson)
	base := baseLine.FindStringSubmatch(ask(t, "stats", v.pid(), "--json"))
	require.NotNil(t, base)
	var text strings.Builder
	text.WriteString("$ ./" + lesson + "\n" + v.said)
	block := ""
	for _, question := range inShell[lesson] {
		if found := named.FindStringSubmatch(text.String()); found != nil {
			block = found[1]
		}
		line := strings.NewReplacer("PID", v.pid(), "BLOCK", block).Replace(question)
		text.WriteString("$ glassheap " + line + "\n" + ask(t, strings.Fields(line)...))
	}
	after, _, _ := strings.Cut(v.end(), "\n") // a panic's stack is long
	if after != "" {
		text.WriteString(after + "\n…\n")
	}
	transcript := gdbsession.Normal(text.String() + "(heap) " + base[1] + " " + endOf(base[1]) + "\n")
	transcript = stoppedFor.ReplaceAllString(asked.ReplaceAllString(transcript, "${1}4711"), "${1}300 µs")
	return readable(delvesession.HideSeals(transcript), mostLines)
}

// endOf is an address behind a heap that starts at base.
func endOf(base string) string {
	start, _ := strconv.ParseUint(base, 0, 64)
	return "0x" + strconv.FormatUint(start+1<<32, 16)
}

// ask runs the command and returns what it prints.
func ask(t *testing.T, arguments ...string) string {
	t.Helper()
	binary, err := glassheap()
	require.NoError(t, err, binary)
	c := exec.Command(binary, arguments...)
	c.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := c.CombinedOutput()
	if err != nil {
		require.Equal(t, 1, c.ProcessState.ExitCode(), "something was found, or %s: %s", arguments, out)
	}
	return string(out)
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
