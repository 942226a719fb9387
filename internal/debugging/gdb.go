package debugging

import (
	"context"
	_ "embed" // session.py
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

//go:embed session.py
var session []byte

// GDB is a gdb with the scripts, and the glassheap program that these ask.
type GDB struct {
	Path        string
	Scripts     string   // glassheap.py
	Environment []string // beside this process's own
}

// found is the gdb that was found, and why none was.
var found struct {
	sync.Once
	path string
	err  error
}

// NewGDB is a gdb with the scripts. Without one the test is skipped. find and unpack are those of package gdb, which its own
// tests keep this package from importing.
func NewGDB(t *testing.T, find func(ctx context.Context, path string) (string, error), unpack func(folder string) (string, error)) GDB {
	t.Helper()
	found.Do(func() { found.path, found.err = find(context.Background(), "") })
	if found.err != nil {
		Skip(t, found.err.Error())
	}
	scripts, err := unpack(Folder)
	require.NoError(t, err)
	return GDB{Path: found.path, Scripts: scripts, Environment: append(Steady[:len(Steady):len(Steady)], "GLASSHEAP_BINARY="+Program(t, Command))}
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
	c.Env = append(append(os.Environ(), "GLASSHEAP_TEST_SESSION="+file, "GLASSHEAP_GDB_TRACEBACK=1", "LC_ALL=C.UTF-8"), g.Environment...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // with the program that it may be waiting for
	c.WaitDelay = 10 * time.Second
	out, err := c.CombinedOutput()
	require.NoError(t, ctx.Err(), "gdb did not come to its end:\n%s", out)
	transcript := threadNews.ReplaceAllString(string(out), "")
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

// threadNews is what GDB says of the program's threads, which is another thing in each run.
var threadNews = regexp.MustCompile(`(?m)^\[(New|Switching to) .*\n`)

// Ended is what GDB says when the program comes to its end. GDB 13 may have meant to look at one of its threads just as it went,
// and then says that instead.
var Ended = regexp.MustCompile(`exited normally|Couldn't get registers: No such process`)

// Answers are what each of a command's runs has printed, in order.
func Answers(transcript, command string) (found []string) {
	for _, part := range strings.Split("\n"+transcript, "\n(gdb) ")[1:] {
		line, out, _ := strings.Cut(heapLine.ReplaceAllString(part, ""), "\n")
		if line == command {
			found = append(found, out)
		}
	}
	return found
}
