package matrix

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// mostAnswerTime is when an answer is a hang.
const mostAnswerTime = 30 * time.Second

// ask runs the command, and returns its answer: it has to come to an end with one.
func ask(t *testing.T, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), mostAnswerTime)
	defer cancel()
	c := exec.CommandContext(ctx, program(t), append(words, "--json")...)
	var complaint strings.Builder
	c.Stderr = &complaint
	out, err := c.Output()
	require.NoError(t, ctx.Err(), "%s hangs", words)
	exit := (*exec.ExitError)(nil)
	if errors.As(err, &exit) && exit.ExitCode() == 1 { // something was found
		err = nil
	}
	require.NoError(t, err, "%s: %s", words, complaint.String())
	require.Empty(t, complaint.String(), "%s", words)
	return string(out)
}

// processes asks a victim that runs: itself, the command from outside, and the files that can be had of it.
func (a *answers) processes(t *testing.T, rows []row, mode string) {
	arguments, stops := plan(rows, "lines", mode)
	c := exec.Command(victim(t), arguments...)
	c.Env = append(os.Environ(), debugging.SteadyGDB...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	defer func() { in.Close(); _ = c.Process.Kill(); _ = c.Wait() }()
	hangs := time.AfterFunc(mostAnswerTime, func() { _ = c.Process.Kill() })
	defer hangs.Stop()
	lines := bufio.NewReader(out)
	pid := strconv.Itoa(c.Process.Pid)
	for _, planned := range stops {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		s := told(t, line)
		sameStop(t, planned, s)
		own, err := lines.ReadString('\n')
		require.NoError(t, err, "itself hangs, or has ended, at %s", s)
		s.value = relative(s.value, baseIn(t, own))
		a.tell(mode, s)
		a.add(t, mode, "itself", own)
		a.add(t, mode, "process", ask(t, "check", pid))
		a.add(t, mode, "structs", ask(t, "structs", "--wrong", pid))
		snapshot := filepath.Join(t.TempDir(), "snapshot")
		ask(t, "snapshot", pid, snapshot)
		a.add(t, mode, "snapshot", ask(t, "check", snapshot))
		a.add(t, mode, "memfd", ask(t, "check", memfd(t, pid)))
		hangs.Reset(mostAnswerTime)
		_, err = io.WriteString(in, "\n")
		require.NoError(t, err)
	}
	require.NoError(t, c.Wait())
}

// memfd is a path that leads to the heap's memory file.
func memfd(t *testing.T, pid string) string {
	t.Helper()
	folder := fmt.Sprintf("/proc/%s/fd", pid)
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, f := range files {
		path := filepath.Join(folder, f.Name())
		if link, _ := os.Readlink(path); strings.HasPrefix(link, "/memfd:glassheap:") {
			return path
		}
	}
	t.Fatal("the process has no memfd of a heap open")
	return ""
}
