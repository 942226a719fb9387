package debugging

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Shell is a transcript of what is typed in a shell: a program that was started, and what is asked about its process while it
// runs. Addresses, numbers of processes, times and what the go command says of its own are made the same in every run.
type Shell struct {
	t       *testing.T
	process *Process
	folder  string // of the files that are written
	base    string // of the heap
	text    strings.Builder
}

// StartShell begins a transcript: line has started a process that has one heap, and has said something until it waits.
func StartShell(t *testing.T, line string, process *Process, said string) *Shell {
	s := &Shell{t: t, process: process, folder: t.TempDir() + "/"}
	base := baseLine.FindStringSubmatch(Ask(t, "stats", process.PID(), "--json"))
	require.NotNil(t, base)
	s.base = base[1]
	s.Typed(line, said)
	return s
}

// Typed adds a line that was typed, and what was answered.
func (s *Shell) Typed(line, said string) { s.text.WriteString("$ " + line + "\n" + said) }

// Ask asks the glassheap command, or go tool: "check PID". PID is the process, BLOCK the last block that the transcript names;
// files are written into a folder that goes with the test.
func (s *Shell) Ask(question string) {
	block := ""
	if found := named.FindAllStringSubmatch(s.text.String(), -1); found != nil {
		block = found[len(found)-1][1]
	}
	line := strings.NewReplacer("PID", s.process.PID(), "BLOCK", block).Replace(question)
	words := strings.Fields(file.ReplaceAllString(line, s.folder+"$0"))
	if words[0] == "go" {
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		require.NoError(s.t, err, "%s", out)
		s.Typed(line, madeAt.ReplaceAllString(string(out), "${1}2026-01-31 12:00:00 UTC"))
		return
	}
	s.Typed("glassheap "+line, strings.ReplaceAll(Ask(s.t, words...), s.folder, ""))
}

// End lets the program go on to its end, and returns all that was shown, with the first line of what it says then.
func (s *Shell) End() string {
	after, _ := s.process.End()
	after, _, _ = strings.Cut(after, "\n") // a panic's stack is long
	if after != "" {
		s.text.WriteString(after + "\n…\n")
	}
	return s.Text()
}

// Text is all that was shown.
func (s *Shell) Text() string {
	transcript := NormalGDB(s.text.String() + "(heap) " + s.base + " " + endOf(s.base) + "\n")
	transcript = searched.ReplaceAllString(transcript, "${1}1 MiB")
	return HideSeals(stoppedFor.ReplaceAllString(questioned.ReplaceAllString(transcript, "${1}4711"), "${1}300 µs"))
}

// endOf is an address behind a heap of up to 64 GiB that starts at base.
func endOf(base string) string {
	start, _ := strconv.ParseUint(base, 0, 64)
	return "0x" + strconv.FormatUint(start+1<<37, 16)
}

var (
	named      = regexp.MustCompile(`(?:block +|of |(?:whatis|history) \d+ )(0x[0-9a-f]+)`)
	stoppedFor = regexp.MustCompile(`(the process was stopped for ).*`)
	searched   = regexp.MustCompile(`(searched )[\d.]+ [KM]iB`)
	questioned = regexp.MustCompile(`(glassheap (?:check|structs|math|whatis|hexdump|dump|history|leaks|stats|arm) )\d+`)
	file       = regexp.MustCompile(`\b[a-z]+\.(txt|pb\.gz)`)
	madeAt     = regexp.MustCompile(`(Time: ).*`)
	baseLine   = regexp.MustCompile(`"base": "(0x[0-9a-f]+)"`)
)
