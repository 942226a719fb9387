package debugging

import (
	"context"
	_ "embed" // session.py
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

//go:embed session.py
var session []byte

// SteadyGDB makes victims do the same in each run: without preemption by signals each breakpoint is met once, and with one P a
// block that is freed is the next to be allocated.
var SteadyGDB = []string{"GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1"}

// GDB is a gdb with the scripts, and the glassheap program that these ask.
type GDB struct {
	Path        string
	Scripts     string // glassheap.py
	Program     string
	Variable    string   // of the environment, that tells the scripts where the program is
	Environment []string // further variables
}

// Session writes the script that plays a test's commands, and returns its path.
func Session(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "session.py")
	require.NoError(t, os.WriteFile(path, session, 0o600))
	return path
}

// Play runs commands, one a line, in a gdb that is started with these arguments, and returns the transcript: what session.py
// says of commands holds. A traceback of a script fails the test.
func (g GDB) Play(t *testing.T, ctx context.Context, commands string, arguments ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "session")
	require.NoError(t, os.WriteFile(file, []byte(strings.TrimSpace(commands)+"\n"), 0o600))
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	line := []string{"-nx", "-q", "-batch", "-iex", "set auto-load python-scripts off", "-iex", "set debuginfod enabled off", "-x", g.Scripts, "-x", Session(t)}
	c := exec.CommandContext(ctx, g.Path, append(line, arguments...)...)
	c.Env = append(append(append(os.Environ(), SteadyGDB...), g.Variable+"="+g.Program, "GLASSHEAP_TEST_SESSION="+file, "GLASSHEAP_GDB_TRACEBACK=1", "LC_ALL=C.UTF-8"), g.Environment...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // with the program that it may be waiting for
	c.WaitDelay = 10 * time.Second
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

// HeapLine is a line at the end of a transcript that says where a heap lay.
var HeapLine = regexp.MustCompile(`(?m)^\(heap\) .*\n`)

// Answers are what each of a command's runs has printed, in order.
func Answers(transcript, command string) (found []string) {
	for _, part := range strings.Split("\n"+transcript, "\n(gdb) ")[1:] {
		line, out, _ := strings.Cut(HeapLine.ReplaceAllString(part, ""), "\n")
		if line == command {
			found = append(found, out)
		}
	}
	return found
}
