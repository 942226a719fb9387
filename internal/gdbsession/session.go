// Package gdbsession plays sessions in GDB for tests: commands run in the real GDB as if they had been typed, and what it
// answers becomes a transcript that is the same in every run.
package gdbsession

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Steady makes victims do the same in each run: without preemption by signals each breakpoint is met once, and with one P a
// block that is freed is the next to be allocated.
var Steady = []string{"GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1"}

// Skip skips a test that lacks something, which the reason names. In CI it fails: there nobody reads what was skipped.
func Skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// Session says what is played with.
type Session struct {
	GDB         string   // its path
	Scripts     string   // the script of glassheap that GDB loads
	Player      string   // gdb/testdata/session.py, from here
	Environment []string // beside this process's own
}

// Play runs commands, one a line, in a GDB that is started with these arguments, and returns what a person would see.
func (s Session) Play(t *testing.T, ctx context.Context, commands string, arguments ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "session")
	require.NoError(t, os.WriteFile(file, []byte(strings.TrimSpace(commands)+"\n"), 0o600))
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	line := []string{"-nx", "-q", "-batch", "-iex", "set auto-load python-scripts off", "-iex", "set debuginfod enabled off", "-x", s.Scripts, "-x", s.Player}
	c := exec.CommandContext(ctx, s.GDB, append(line, arguments...)...)
	c.Env = append(append(append(os.Environ(), Steady...), "GLASSHEAP_TEST_SESSION="+file, "GLASSHEAP_GDB_TRACEBACK=1", "LC_ALL=C.UTF-8"), s.Environment...)
	out, err := c.CombinedOutput()
	require.NoError(t, ctx.Err(), "gdb did not come to its end:\n%s", out)
	transcript := string(out)
	require.NotContains(t, transcript, "Traceback")
	require.NotContains(t, transcript, "Python Exception")
	require.NotContains(t, transcript, "should not have happened")
	require.NotContains(t, transcript, "Fatal signal")
	if i := strings.Index(transcript, "(gdb) "); i >= 0 {
		transcript = transcript[i:]
	}
	_ = err // a batch's status is that of the last command
	return transcript
}
