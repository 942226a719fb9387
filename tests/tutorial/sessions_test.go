package tutorial

import (
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
	"useafterfree": {"break main.wait", "continue", "gh_check", "up", "gh_history c.page"},
	"leak":         {"gh_break leak", "break main.wait", "continue", "stack 7", "clear 1", "continue", "gh_leaks"},
}

// delveIn is the environment of Delve, and so of the program.
var delveIn = map[string]string{"useafterfree": "GLASSHEAP=mode=audit", "leak": "GLASSHEAP=break=leaks.txt"}

// inGDB is the same in GDB.
var inGDB = map[string][]string{
	"bintable":   {"glassheap break init", "run", "glassheap structs --wrong"},
	"arithmetic": {"break main.wait", "run", "glassheap math"},
	"overflow":   {"break main.overwrite", "run", "glassheap watch block.array", "continue", "backtrace", "glassheap check"},
	"doublefree": {"glassheap break violation", "run", "backtrace"},
	"useafterfree": {
		"set environment GLASSHEAP mode=audit", "break main.wait", "run", "up", "glassheap check", "glassheap history c.page.array",
		"set environment GLASSHEAP guard=1/1", "run", "backtrace",
	},
	"leak": {
		"set environment GLASSHEAP break=leaks.txt", "glassheap break leak", "break main.wait", "run", "backtrace",
		"delete 1", "continue", "glassheap leaks",
	},
}

// inShell is how the program is started, and what the command is asked about it when it waits. PID is the process, BLOCK the
// address that an answer named.
var inShell = map[string][]string{
	"bintable":   {"./bintable", "structs PID --wrong", "check PID"},
	"arithmetic": {"./arithmetic", "math PID"},
	"overflow":   {"./overflow", "check PID", "whatis PID BLOCK", "hexdump PID BLOCK"},
	"doublefree": {"./doublefree", "check PID", "whatis PID BLOCK"},
	"useafterfree": {
		"./useafterfree", "check PID",
		"GLASSHEAP=mode=audit ./useafterfree", "check PID", "history PID BLOCK",
	},
	"leak": {
		"GLASSHEAP=mode=audit ./leak", "leaks PID --pprof live.pb.gz", "leaks PID --unreachable --learn leaks.txt",
		"go tool pprof -top live.pb.gz",
	},
}

func playDelve(t *testing.T, lesson string) string {
	initFile, err := dlvscripts.Unpack(debugging.Folder, dlvscripts.Options{}, "")
	require.NoError(t, err)
	var environment []string
	first := ""
	if in := delveIn[lesson]; in != "" {
		environment = append(environment, strings.Replace(in, "leaks.txt", learnt(t, lesson, in), 1))
		first = "$ " + in + " dlv " + lesson + "\n"
	}
	r := debugging.Record(debugging.StartDelveWith(t, environment, "../..", initFile, "exec", program(t, lesson)))
	r.Typed(inDelve[lesson]...)
	return readable(first+r.Text.String(), 1000)
}

// learnt is a file of what a first run of a program has leaked, if that is needed.
func learnt(t *testing.T, lesson, forWhat string) string {
	if !strings.Contains(forWhat, "leaks.txt") {
		return ""
	}
	path := filepath.Join(t.TempDir(), "leaks.txt")
	p, _ := startVictim(t, lesson, "GLASSHEAP=mode=audit")
	debugging.Ask(t, "leaks", p.PID(), "--unreachable", "--learn", path)
	_, _ = p.End()
	require.FileExists(t, path)
	return path
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
	commands := "set filename-display basename\n" + strings.Join(inGDB[lesson], "\n")
	leaks := learnt(t, lesson, commands)
	transcript := g.Play(t, t.Context(), strings.ReplaceAll(commands, "leaks.txt", leaks), program(t, lesson))
	if leaks != "" {
		transcript = strings.ReplaceAll(transcript, leaks, "leaks.txt")
	}
	transcript = debugging.NormalGDB(transcript)
	_, transcript, _ = strings.Cut(transcript, "\n")
	return readable(transcript, mostLines)
}

var (
	named      = regexp.MustCompile(`(?:block +|of )(0x[0-9a-f]+)`)
	stoppedFor = regexp.MustCompile(`(the process was stopped for ).*`)
	searched   = regexp.MustCompile(`(searched )[\d.]+ [KM]iB`)
	asked      = regexp.MustCompile(`(glassheap (?:check|structs|math|whatis|hexdump|dump|history|leaks) )\d+`)
	file       = regexp.MustCompile(`\b[a-z]+\.(txt|pb\.gz)`)
	madeAt     = regexp.MustCompile(`(Time: ).*`)
	baseLine   = regexp.MustCompile(`"base": "(0x[0-9a-f]+)"`)
)

// playShell starts the program, asks when it waits, and lets it go on.
func playShell(t *testing.T, lesson string) string {
	var all strings.Builder
	var r *shellRun
	for _, line := range inShell[lesson] {
		if words := strings.Fields(line); words[len(words)-1] == "./"+lesson {
			all.WriteString(r.end())
			r = startRun(t, lesson, line, words[:len(words)-1])
		} else {
			r.ask(line)
		}
	}
	all.WriteString(r.end())
	return readable(debugging.HideSeals(all.String()), mostLines)
}

// shellRun is one run of a program, and what is asked about it.
type shellRun struct {
	t       *testing.T
	process *debugging.Process
	folder  string // of the files that are written
	base    string // of the heap
	text    strings.Builder
}

func startRun(t *testing.T, lesson, line string, environment []string) *shellRun {
	r := &shellRun{t: t, folder: t.TempDir() + "/"}
	var said string
	r.process, said = startVictim(t, lesson, environment...)
	base := baseLine.FindStringSubmatch(debugging.Ask(t, "stats", r.process.PID(), "--json"))
	require.NotNil(t, base)
	r.base = base[1]
	r.text.WriteString("$ " + line + "\n" + said)
	return r
}

func (r *shellRun) ask(question string) {
	block := ""
	if found := named.FindStringSubmatch(r.text.String()); found != nil {
		block = found[1]
	}
	line := strings.NewReplacer("PID", r.process.PID(), "BLOCK", block).Replace(question)
	words := strings.Fields(file.ReplaceAllString(line, r.folder+"$0"))
	if words[0] == "go" {
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		require.NoError(r.t, err, "%s", out)
		r.text.WriteString("$ " + line + "\n" + madeAt.ReplaceAllString(string(out), "${1}2026-01-31 12:00:00 UTC"))
		return
	}
	r.text.WriteString("$ glassheap " + line + "\n" + strings.ReplaceAll(debugging.Ask(r.t, words...), r.folder, ""))
}

// end lets the program go on, and returns all that was shown.
func (r *shellRun) end() string {
	if r == nil {
		return ""
	}
	after, _ := r.process.End()
	after, _, _ = strings.Cut(after, "\n") // a panic's stack is long
	if after != "" {
		r.text.WriteString(after + "\n…\n")
	}
	transcript := debugging.NormalGDB(r.text.String() + "(heap) " + r.base + " " + endOf(r.base) + "\n")
	transcript = searched.ReplaceAllString(transcript, "${1}1 MiB")
	return stoppedFor.ReplaceAllString(asked.ReplaceAllString(transcript, "${1}4711"), "${1}300 µs")
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
