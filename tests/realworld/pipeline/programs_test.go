package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/internal/debugging"
	"github.com/glassheap/glassheap/tests/realworld"
)

func TestMain(m *testing.M) { debugging.Main(m) }

const (
	itself  = "github.com/glassheap/glassheap/tests/realworld/pipeline"
	quickly = "-ldflags=-w" // without what debuggers need
)

// patience bounds every wait. Nothing waits that long when all is well.
const patience = time.Minute

func program(t *testing.T) string { return debugging.Program(t, itself, quickly) }

// withBug is the path of the program with a bug in it.
func withBug(t *testing.T, name string) string {
	t.Helper()
	bug, ok := realworld.FindBug(name)
	require.True(t, ok, name)
	build, _ := built.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		folder, err := os.MkdirTemp(debugging.Folder, name)
		if err != nil {
			return "", err
		}
		return bug.Build(context.Background(), folder, quickly)
	}))
	require.NoError(t, debugging.Watch(itself))
	path, err := build.(func() (string, error))()
	require.NoError(t, err)
	return path
}

var built sync.Map // by the bug's name: func() (string, error)

// plantedAt is where a bug is: "origin.go:18", the first line that is another one.
func plantedAt(t *testing.T, name string) string {
	t.Helper()
	bug, _ := realworld.FindBug(name)
	text, err := os.ReadFile(bug.Mistake.File)
	require.NoError(t, err)
	wrong, err := bug.Mistake.Plant(string(text))
	require.NoError(t, err)
	right := strings.Split(string(text), "\n")
	for i, line := range strings.Split(wrong, "\n") {
		if line != right[i] {
			return fmt.Sprintf("%s:%d", bug.Mistake.File, i+1)
		}
	}
	t.Fatal("nothing is planted")
	return ""
}

// running is a program that was started and serves.
type running struct {
	*debugging.Process
	t         *testing.T
	address   string
	directory string // of its post-mortems
}

var servesAt = regexp.MustCompile(`process \d+ serves at (\S+)\n`)

// start starts a program on a free port, with this in its environment.
func start(t *testing.T, program, glassheap string, flags ...string) *running {
	t.Helper()
	s := &running{t: t, directory: filepath.Join(t.TempDir(), "postmortems")}
	words := []string{"GOMAXPROCS=2", "GLASSHEAP=" + glassheap, program, "-listen", "127.0.0.1:0", "-debug", "127.0.0.1:0", "-postmortems", s.directory}
	s.Process = debugging.StartProcess(t, "env", append(words, flags...)...)
	t.Cleanup(func() { _ = s.Process.Process.Kill() }) // before its end is waited for
	said := ""
	for !strings.Contains(said, "questions at ") {
		said += s.Line()
	}
	s.address = servesAt.FindStringSubmatch(said)[1]
	return s
}

// load runs the load on it.
func (s *running) load(flags ...string) error {
	out, err := exec.CommandContext(s.t.Context(), program(s.t), append([]string{"load", "-address", s.address}, flags...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// post sends a CSV. The error is the connection's.
func (s *running) post(query, csv string) (status int, body string, err error) {
	s.t.Helper()
	answer, err := http.Post("http://"+s.address+"/convert?"+query, "text/csv", strings.NewReader(csv))
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(b), err
}

// figure is one of those that the server counts.
func (s *running) figure(name string) int64 {
	s.t.Helper()
	answer, err := http.Get("http://" + s.address + "/stats")
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	match := regexp.MustCompile(`(?m)^` + name + ` (\d+)$`).FindStringSubmatch(string(text))
	require.NotNil(s.t, match, "%s", text)
	n, err := strconv.ParseInt(match[1], 10, 64)
	require.NoError(s.t, err)
	return n
}

// holdsNothing: once no conversion is under way any more, no block is live.
func (s *running) holdsNothing(why ...any) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); s.figure("under_way") > 0; {
		require.True(s.t, time.Now().Before(deadline), "a conversion does not end")
	}
	require.Zero(s.t, s.figure("live_blocks"), why...)
}

// reaches waits until a figure is at least n.
func (s *running) reaches(name string, n int64) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); s.figure(name) < n; {
		require.True(s.t, time.Now().Before(deadline), "%s does not become %d", name, n)
	}
}

// interrupt asks the program to end, as Ctrl-C does, and returns what it said.
func (s *running) interrupt() (string, error) {
	s.t.Helper()
	require.NoError(s.t, s.Process.Process.Signal(syscall.SIGINT))
	return s.End()
}

// endsWell: asked to end, it has nothing to say and leaves nothing behind.
func (s *running) endsWell() {
	s.t.Helper()
	said, err := s.interrupt()
	require.NoError(s.t, err, said)
	require.Empty(s.t, said)
	require.NoDirExists(s.t, s.directory)
}

// postMortem is the only one that was written, and what the command says of it.
func (s *running) postMortem() (*inspect.PostMortem, string) {
	s.t.Helper()
	found, err := inspect.PostMortems(s.directory)
	require.NoError(s.t, err)
	require.Len(s.t, found, 1)
	require.Empty(s.t, found[0].Problem)
	return found[0].PostMortem, debugging.Ask(s.t, "postmortem", found[0].Path)
}

// clean asks the command something that has to find nothing, and returns what it prints.
func clean(t *testing.T, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, debugging.Program(t, debugging.Command), words...)
	c.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s: %s", words, out)
	return string(out)
}
