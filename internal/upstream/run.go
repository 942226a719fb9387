package upstream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
