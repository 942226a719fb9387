package tutorial

import (
	"path/filepath"
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
	return debugging.Readable(first+r.Text.String(), 1000)
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
	return debugging.Readable(r.Text.String(), 1000)
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
	return debugging.Readable(transcript, debugging.MostLines)
}

// playShell starts the program, asks when it waits, and lets it go on.
func playShell(t *testing.T, lesson string) string {
	var all strings.Builder
	var s *debugging.Shell
	end := func() {
		if s != nil {
			all.WriteString(s.End())
		}
	}
	for _, line := range inShell[lesson] {
		if words := strings.Fields(line); words[len(words)-1] == "./"+lesson {
			end()
			process, said := startVictim(t, lesson, words[:len(words)-1]...)
			s = debugging.StartShell(t, line, process, said)
		} else {
			s.Ask(line)
		}
	}
	end()
	return debugging.Readable(all.String(), debugging.MostLines)
}
