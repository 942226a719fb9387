package gdb

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
	"github.com/glassheap/glassheap/internal/gdbsession"
)

var update = flag.Bool("update", false, "rewrite the golden files and the transcripts of docs/gdb.md")

// What the tests share: built once, removed at the end.
var shared struct {
	sync.Mutex
	folder string
	built  map[string]string
}

func TestMain(m *testing.M) {
	flag.Parse()
	folder, err := os.MkdirTemp("", "glassheap-gdb-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shared.folder, shared.built = folder, map[string]string{}
	status := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(status)
}

// needGDB skips a test where there is no gdb. In CI it fails: there nobody reads what was skipped.
func needGDB(t *testing.T) string {
	t.Helper()
	path, err := find()
	if err == nil {
		return path
	}
	skip(t, err.Error())
	return ""
}

// skip skips a test that lacks something, which the reason names. In CI it fails.
func skip(t *testing.T, reason string) {
	t.Helper()
	gdbsession.Skip(t, reason)
}

var find = sync.OnceValues(func() (string, error) { return Find(context.Background(), "") })

// build builds a package of this module once, with these flags, and returns the program's path.
func build(t *testing.T, pkg string, flags ...string) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	key := pkg + strings.Join(flags, " ")
	if path, ok := shared.built[key]; ok {
		return path
	}
	path := filepath.Join(shared.folder, fmt.Sprintf("%d", len(shared.built)), filepath.Base(pkg))
	require.NoError(t, debugging.Build(path, pkg, flags...))
	shared.built[key] = path
	return path
}

// The victim in the ways that programs are built.
func victim(t *testing.T) string { return build(t, "./testdata/victim") }
func unoptimisedVictim(t *testing.T) string {
	return build(t, "./testdata/victim", "-gcflags=all=-N -l")
}
func strippedVictim(t *testing.T) string { return build(t, "./testdata/victim", "-ldflags=-s -w") }
func program(t *testing.T) string        { return build(t, "../cmd/glassheap") }

// unpacked is the script, as users get it.
func unpacked(t *testing.T) string {
	t.Helper()
	script, err := Unpack(shared.folder)
	require.NoError(t, err)
	return script
}

// steady makes victims do the same in each run.
var steady = gdbsession.Steady

// play runs commands in gdb, which is started with these arguments, and returns the transcript.
func play(t *testing.T, commands string, arguments ...string) string {
	t.Helper()
	return playIn(t, t.Context(), nil, commands, arguments...)
}

func playIn(t *testing.T, ctx context.Context, environment []string, commands string, arguments ...string) string {
	t.Helper()
	s := gdbsession.Session{
		GDB: needGDB(t), Scripts: unpacked(t), Player: debugging.Session(t),
		Environment: append([]string{ProgramVariable + "=" + program(t)}, environment...),
	}
	return s.Play(t, ctx, commands, arguments...)
}

// answers are what each of a command's runs has printed, in order.
func answers(transcript, command string) (found []string) {
	for _, part := range strings.Split("\n"+transcript, "\n(gdb) ")[1:] {
		line, out, _ := strings.Cut(gdbsession.HeapLine.ReplaceAllString(part, ""), "\n")
		if line == command {
			found = append(found, out)
		}
	}
	return found
}

// answer is what a command has printed, which was run once.
func answer(t *testing.T, transcript, command string) string {
	t.Helper()
	found := answers(transcript, command)
	require.Len(t, found, 1, "runs of %q in:\n%s", command, transcript)
	return found[0]
}

// startVictim starts a victim that waits, and returns it when it is ready.
func startVictim(t *testing.T, path string, arguments ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(path, arguments...)
	c.Env = append(os.Environ(), steady...)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		in.Close()
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = c.Process.Kill()
			<-done
		}
	})
	line := make([]byte, len("ready\n"))
	_, err = out.Read(line)
	require.NoError(t, err)
	require.Equal(t, "ready\n", string(line))
	return c
}

func pid(c *exec.Cmd) string { return strconv.Itoa(c.Process.Pid) }

// golden holds a text against a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

// normal makes a transcript one that is the same in every run.
func normal(transcript string) string { return gdbsession.Normal(transcript) }
