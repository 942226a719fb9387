//go:build modules && linux && amd64

package main

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

	"github.com/glassheap/glassheap/internal/upstream"
)

// TestPlantedBugs: ten mistakes in the code of modernc.org/sqlite itself are found, with the stack of the planted line; and in the
// module as it is the same scripts find nothing.
func TestPlantedBugs(t *testing.T) {
	require.Len(t, bugs, 10)
	copied := upstream.Source(t, sqliteVersion)
	var plants []upstream.Bug
	for _, b := range bugs {
		plants = append(plants, b.Bug)
	}
	lines := upstream.PlantAll(t, copied, plants)
	glassheap := filepath.Join(t.TempDir(), "glassheap")
	upstream.Go(t, upstream.Repository(t), "build", "-o", glassheap, "./cmd/glassheap")
	sound, wrong := buildScript(t, ""), buildScript(t, copied)
	for _, b := range bugs {
		t.Run(b.Name, func(t *testing.T) {
			for _, want := range b.told {
				r := runScript(t, sound, glassheap, want.mode, "", b.lookaside, b.script)
				require.Empty(t, r.findings(), "the module as it is, %s", want.mode)
				require.True(t, r.done, "%s", r.said)
				r = runScript(t, wrong, glassheap, want.mode, b.Name, b.lookaside, b.script)
				requireTold(t, r, want, lines[b.Name])
			}
		})
	}
}

// buildScript builds package script, with the module's copy in a folder instead of the module if there is one.
func buildScript(t *testing.T, copied string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	root := upstream.Repository(t)
	modFile := filepath.Join(folder, "go.mod")
	replace := []string{"mod", "edit", "-replace", "github.com/glassheap/glassheap=" + root, "-replace", "modernc.org/memory=" + root + "/allocator/modernc"}
	if copied != "" {
		replace = append(replace, "-replace", "modernc.org/sqlite="+copied)
	}
	upstream.Go(t, ".", append(replace, modFile)...)
	program := filepath.Join(folder, "script")
	upstream.Go(t, ".", "build", "-mod=mod", "-modfile="+modFile, "-o", program, "./script")
	return program
}

// ran is what a run of the script has led to.
type ran struct {
	said               string // by the program: reports, and what went wrong
	done               bool   // the script came to its end
	check, unreachable string // what glassheap found then; empty: nothing
}

// findings are everything that was told.
func (r ran) findings() string {
	return firstReport(r.said) + r.check + r.unreachable
}

// runScript runs a script with one of the bugs, or none, and asks about the process when the script has ended.
func runScript(t *testing.T, program, glassheap, mode, bug string, lookaside bool, script []string) (r ran) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program, append([]string{"-lookaside=" + strconv.FormatBool(lookaside)}, script...)...)
	c.Env = append(os.Environ(), "GLASSHEAP="+mode, upstream.BugEnvironment+"="+bug)
	var said bytes.Buffer
	c.Stderr = &said
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "done" {
			r.done = true
			r.check = found(t, glassheap, "check", strconv.Itoa(c.Process.Pid))
			r.unreachable = found(t, glassheap, "leaks", strconv.Itoa(c.Process.Pid), "--unreachable")
			require.NoError(t, in.Close())
		}
	}
	err = c.Wait()
	require.NoError(t, ctx.Err(), "the script does not end: %s", said.String())
	require.Equal(t, r.done, err == nil, "%v\n%s", err, said.String())
	r.said = said.String()
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

// requireTold requires that the answer tells the bug, of its kind, and with the planted line, or the function, on the right stack.
func requireTold(t *testing.T, r ran, want told, line string) {
	t.Helper()
	var finding string
	switch want.by {
	case byViolation:
		finding = firstReport(r.said)
		require.Regexp(t, fmt.Sprintf("^glassheap: %s during (free|alloc|realloc) ", want.kind), finding, "%s", r.said)
	case byFault:
		require.False(t, r.done)
		finding = firstReport(r.said)
		require.Regexp(t, fmt.Sprintf("^glassheap: %s during access ", want.kind), finding, "%s", r.said)
	case byCheck:
		require.Contains(t, r.check, want.kind)
		finding = r.check
	case byUnreachable:
		require.Contains(t, r.unreachable, "unreachable")
		finding = r.unreachable
	}
	t.Logf("%s\n%s", want.mode, finding)
	if want.stack == "" {
		return
	}
	shows := want.shows
	if shows == planted {
		shows = line
	}
	require.Regexp(t, `[ .]`+regexp.QuoteMeta(shows)+`\s`, stack(finding, want.stack), "%s is not on the stack %q of\n%s", shows, want.stack, finding)
}

// firstReport is the first of what the program reported; empty: it reported nothing.
func firstReport(said string) string {
	var text strings.Builder
	for line := range strings.Lines(said) {
		switch {
		case strings.HasPrefix(line, "glassheap: ") && text.Len() > 0:
			return text.String()
		case strings.HasPrefix(line, "glassheap: "), text.Len() > 0:
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
