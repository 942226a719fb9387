package upstream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Told is an answer that must tell a bug.
type Told struct {
	Mode  string // what GLASSHEAP is to be
	By    Answer
	Kind  string // of the finding; ByLeaks has only one
	Stack string // which stack of the report: "allocated by", "freed by", "found by"; empty: there are none
	Shows string // what it must show: PlantedLine, or a function
}

// Tells is what an answer must tell.
func (a Answer) Tells(mode, kind, stack, shows string) Told {
	return Told{Mode: mode, By: a, Kind: kind, Stack: stack, Shows: shows}
}

// PlantedLine stands for FILE:LINE of the bug.
const PlantedLine = "PLANTED"

// Answer is who tells a bug.
type Answer int

// ByViolation: the program, in an operation of the heap. ByFault: the program, at the very instruction. ByCheck, ByUnreachable:
// glassheap check and glassheap leaks --unreachable, asked when the program has done its work. ByLeaks: the program, when it closes
// the heap.
const (
	ByViolation Answer = iota
	ByFault
	ByCheck
	ByUnreachable
	ByLeaks
)

// BuildWith builds a package of the module in this folder. A copy of a module takes the module's place, if one is given.
func BuildWith(t *testing.T, pkg, module, copied string) (program string) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		// Its relative paths, all of them in this repository, must hold from elsewhere.
		text = bytes.ReplaceAll(text, []byte("=> ../.."), []byte("=> "+Repository(t)))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	modFile := filepath.Join(folder, "go.mod")
	if copied != "" {
		Go(t, ".", "mod", "edit", "-replace", module+"="+copied, modFile)
	}
	program = filepath.Join(folder, filepath.Base(pkg))
	Go(t, ".", "build", "-mod=mod", "-modfile="+modFile, "-o", program, pkg)
	return program
}

// Run is what a run of a program has led to.
type Run struct {
	Said               string // by the program: reports, and what went wrong
	Done               bool   // it has done its work
	Check, Unreachable string // what glassheap found then; empty: nothing
}

// Findings are what was found, the first of each kind of answer.
func (r Run) Findings() string { return firstReport(r.Said, "") + r.Check + r.Unreachable }

// RunWithBug runs a program with one of the bugs that it was built with, or with none, and asks glassheap, the command, about it when
// it says "done" on its standard output. Then its standard input is closed, and it has to end.
func RunWithBug(t *testing.T, glassheap, program, mode, bug string, arguments ...string) (r Run) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program, arguments...)
	c.Env = append(os.Environ(), "GLASSHEAP="+mode, BugEnvironment+"="+bug)
	var said bytes.Buffer
	c.Stderr = &said
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "done" {
			r.Done = true
			r.Check = found(t, glassheap, "check", strconv.Itoa(c.Process.Pid))
			r.Unreachable = found(t, glassheap, "leaks", strconv.Itoa(c.Process.Pid), "--unreachable")
			require.NoError(t, in.Close())
		}
	}
	err = c.Wait()
	require.NoError(t, ctx.Err(), "the program does not end: %s", said.String())
	require.Equal(t, r.Done, err == nil, "%v\n%s", err, said.String())
	r.Said = said.String()
	return r
}

// found is what glassheap answers; empty when it finds nothing.
func found(t *testing.T, glassheap string, arguments ...string) string {
	t.Helper()
	said, err := exec.Command(glassheap, arguments...).CombinedOutput()
	if err == nil {
		return ""
	}
	status := (*exec.ExitError)(nil)
	require.True(t, errors.As(err, &status) && status.ExitCode() == 1, "%v\n%s", err, said)
	return string(said)
}

// RequireTold requires that the answer tells the bug, of its kind, and with the planted line, or the function, on the right stack.
func (r Run) RequireTold(t *testing.T, want Told, line string) {
	t.Helper()
	var finding, begins string
	switch want.By {
	case ByViolation: // before all others
		finding, begins = firstReport(r.Said, ""), fmt.Sprintf("^glassheap: %s during ", want.Kind)
	case ByFault: // which deferred calls may have overtaken
		require.False(t, r.Done)
		finding, begins = firstReport(r.Said, "during access of"), fmt.Sprintf("^glassheap: %s ", want.Kind)
	case ByLeaks:
		finding, begins = firstReport(r.Said, "live block"), "^glassheap: heap "
	case ByCheck:
		finding, begins = r.Check, want.Kind
	case ByUnreachable:
		finding, begins = r.Unreachable, want.Kind
	}
	require.Regexp(t, begins, finding, "%s", r.Said)
	t.Logf("%s\n%s", want.Mode, finding)
	if want.Stack == "" {
		return
	}
	shows := want.Shows
	if shows == PlantedLine {
		shows = line
	}
	require.Regexp(t, `[ .]`+regexp.QuoteMeta(shows)+`\s`, stack(finding, want.Stack), "%s is not on the stack %q of\n%s", shows, want.Stack, finding)
}

// firstReport is the first report of the program that has this in its first line; empty: there is none.
func firstReport(said, first string) string {
	var text strings.Builder
	for line := range strings.Lines(said) {
		begins := strings.HasPrefix(line, "glassheap: ")
		if begins && text.Len() > 0 {
			break
		}
		if text.Len() > 0 || begins && strings.Contains(line, first) {
			text.WriteString(line)
		}
	}
	return text.String()
}

var beginsStack = regexp.MustCompile(`^ +(allocated by|freed by|freed again by|found by|next) `)

// stack is the stacks of this name in a report.
func stack(report, name string) string {
	var text strings.Builder
	in := false
	for line := range strings.Lines(report) {
		if m := beginsStack.FindStringSubmatch(line); m != nil {
			in = m[1] == name
		} else if !strings.HasPrefix(line, "   ") {
			in = false
		}
		if in {
			text.WriteString(line)
		}
	}
	return text.String()
}
