package recorder_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// program is the executable of testdata/victim.
var program string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "recorder")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(folder, "victim")
	build := exec.Command("go", append(buildFlags, "-o", program, "./testdata/victim")...)
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	status := m.Run()
	os.RemoveAll(folder)
	os.Exit(status)
}

// patience bounds every wait. It is long, for the machine may be busy; nothing waits that long when all is well.
const patience = 60 * time.Second

// inherited is what the next victim inherits.
var inherited []*os.File

// victim is a program that will die.
type victim struct {
	*exec.Cmd
	directory string
	in        io.Closer
	out       *bufio.Reader
	stderr    *os.File // its recorder holds the other end, too: the end of it is the end of both
}

// start starts a victim and waits until it is ready.
func start(t *testing.T, modes string) *victim {
	return startIn(t, modes, filepath.Join(t.TempDir(), "post-mortems"))
}

func startIn(t *testing.T, modes, directory string) *victim {
	t.Helper()
	v := &victim{Cmd: exec.Command(program, modes, directory), directory: directory}
	in, err := v.StdinPipe()
	require.NoError(t, err)
	out, err := v.StdoutPipe()
	require.NoError(t, err)
	stderr, theirs, err := os.Pipe()
	require.NoError(t, err)
	v.Stderr = theirs
	v.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	v.ExtraFiles = inherited
	v.in, v.out, v.stderr = in, bufio.NewReader(out), stderr
	require.NoError(t, v.Start())
	theirs.Close()
	t.Cleanup(func() {
		_ = v.Process.Kill()
		_ = v.Wait()
		stderr.Close()
	})
	line, err := v.out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	return v
}

// end waits for the victim's end, and for that of its recorder, and returns what both wrote to standard error.
func (v *victim) end(t *testing.T) string {
	t.Helper()
	late := time.AfterFunc(patience, func() { _ = v.Process.Kill() })
	_ = v.Wait()
	require.True(t, late.Stop(), "the victim did not end")
	return v.heard(t)
}

// heard waits for the end of the recorder.
func (v *victim) heard(t *testing.T) string {
	t.Helper()
	require.NoError(t, v.stderr.SetReadDeadline(time.Now().Add(patience)))
	text, err := io.ReadAll(v.stderr)
	require.NoError(t, err, "the recorder did not end")
	return string(text)
}

// recorderOf is the id of the victim's second process.
func (v *victim) recorderOf(t *testing.T) int {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		id, rest, _ := strings.Cut(string(text), " (")
		name, rest, _ := strings.Cut(rest, ") ")
		if fields := strings.Fields(rest); name == "glassheap-recor" && fields[1] == strconv.Itoa(v.Process.Pid) {
			pid, err := strconv.Atoi(id)
			require.NoError(t, err)
			return pid
		}
	}
	t.Fatal("the victim has no recorder")
	return 0
}

// postMortem is the only one of a directory, all of whose files are there and can be read.
func (v *victim) postMortem(t *testing.T) (*inspect.PostMortem, string) {
	t.Helper()
	found, err := inspect.PostMortems(v.directory)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Empty(t, found[0].Problem)
	p := found[0].PostMortem
	require.Equal(t, v.Process.Pid, p.PID)
	require.Equal(t, "victim", p.Program)
	text, err := os.ReadFile(strings.TrimSuffix(found[0].Path, ".json") + ".txt")
	require.NoError(t, err)
	entries, err := os.ReadDir(v.directory)
	require.NoError(t, err)
	files := 2
	for _, h := range p.Heaps {
		if h.Snapshot == "" {
			continue
		}
		files++
		s, err := target.OpenPath(context.Background(), filepath.Join(v.directory, h.Snapshot), target.Options{})
		require.NoError(t, err)
		r, err := inspect.Check(context.Background(), s, inspect.CheckOptions{})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		require.Equal(t, len(h.Check.Findings), len(r.Findings), "the snapshot says what the heap said")
	}
	require.Len(t, entries, files, "nothing unfinished is left")
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), e.Name())
	}
	return p, string(text)
}

// nothing expects that there is no post-mortem, not even a directory.
func (v *victim) nothing(t *testing.T) {
	t.Helper()
	require.NoDirExists(t, v.directory)
}
