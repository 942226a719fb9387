package realworld

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/internal/debugging"
)

func TestMain(m *testing.M) { debugging.Main(m) }

// packages is how the import paths of the programs begin.
const packages = "github.com/glassheap/glassheap/tests/realworld/"

// patience bounds every wait. Nothing waits that long when all is well.
const patience = time.Minute

// quickly leaves out what debuggers need, which takes half the time of a build.
const quickly = "-ldflags=-w"

var built sync.Map // by the bug's name: func() (string, error)

// withBug is the path of a program that has a bug.
func withBug(t *testing.T, name string) string {
	t.Helper()
	bug, ok := FindBug(name)
	require.True(t, ok, name)
	build, _ := built.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		folder, err := os.MkdirTemp(debugging.Folder, name)
		if err != nil {
			return "", err
		}
		if err := debugging.Watch(packages + bug.Program); err != nil {
			return "", err
		}
		return bug.Build(context.Background(), folder, quickly)
	}))
	path, err := build.(func() (string, error))()
	require.NoError(t, err)
	return path
}

// plantedAt is where a bug is: "shard.go:110", the first line that is another one.
func plantedAt(t *testing.T, name string) string {
	t.Helper()
	bug, _ := FindBug(name)
	source, err := bug.Mistake.Source(t.Context())
	require.NoError(t, err)
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	wrong, err := bug.Mistake.Plant(string(text))
	require.NoError(t, err)
	right := strings.Split(string(text), "\n")
	for i, line := range strings.Split(wrong, "\n") {
		if line != right[i] {
			return fmt.Sprintf("%s:%d", filepath.Base(source), i+1)
		}
	}
	t.Fatal("nothing is planted")
	return ""
}

// server is a program that was started and serves.
type server struct {
	*debugging.Process
	t         *testing.T
	address   string
	directory string // of its post-mortems
	said      string // until it served
}

var servesAt = regexp.MustCompile(`process \d+ serves at (\S+)\n`)

// serve starts a program that serves on a free port, with this in its environment.
func serve(t *testing.T, program string, environment []string, flags ...string) *server {
	t.Helper()
	s := &server{t: t, directory: filepath.Join(t.TempDir(), "postmortems")}
	words := append(append([]string{}, environment...), program, "-listen", "127.0.0.1:0", "-debug", "127.0.0.1:0", "-postmortems", s.directory)
	s.Process = debugging.StartProcess(t, "env", append(words, flags...)...)
	t.Cleanup(func() { _ = s.Process.Process.Kill() }) // before its end is waited for
	for !strings.Contains(s.said, "questions at ") {
		s.said += s.Line()
	}
	s.address = servesAt.FindStringSubmatch(s.said)[1]
	return s
}

// interrupt asks the program to end, as Ctrl-C does, and returns what it said.
func (s *server) interrupt() (string, error) {
	s.t.Helper()
	require.NoError(s.t, s.Process.Process.Signal(syscall.SIGINT))
	return s.End()
}

// postMortem is the only one that the recorder of a program that has ended wrote, and what the command says of it.
func (s *server) postMortem() (*inspect.PostMortem, string) {
	s.t.Helper()
	found, err := inspect.PostMortems(s.directory)
	require.NoError(s.t, err)
	require.Len(s.t, found, 1)
	require.Empty(s.t, found[0].Problem)
	return found[0].PostMortem, debugging.Ask(s.t, "postmortem", found[0].Path)
}

// diesOf waits for the death that a bug is the cause of. The post-mortem has to say some things of it; PLANTED is the bug's line.
func (s *server) diesOf(bug string, cause inspect.CauseKind, says []string) {
	s.t.Helper()
	said, err := s.End()
	require.Error(s.t, err)
	require.Contains(s.t, said, ".txt")
	p, text := s.postMortem()
	require.Equal(s.t, cause, p.Cause.Kind, text)
	for _, want := range says {
		if want == "PLANTED" {
			want = plantedAt(s.t, bug)
		}
		require.Contains(s.t, text, want, "it says:\n%s", text)
	}
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

// questions are what is asked of a program under load; nothing may be found.
var questions = [][]string{{"check"}, {"stats"}, {"leaks", "--unreachable"}, {"leaks"}, {"check", "--json"}}

// lookAt asks all questions twice and more while work is done again and again: run is its number.
func lookAt(t *testing.T, pid string, work func(run int) error) {
	t.Helper()
	debugging.Program(t, debugging.Command) // is built before
	var enough atomic.Bool
	done := make(chan error, 1)
	go func() {
		for run := 1; ; run++ {
			if err := work(run); err != nil || enough.Load() {
				done <- err
				return
			}
		}
	}()
	defer func() {
		enough.Store(true)
		require.NoError(t, <-done)
	}()
	for range 2 {
		for _, q := range questions {
			text := clean(t, append([]string{q[0], pid}, q[1:]...)...)
			if q[len(q)-1] == "--json" {
				var r inspect.CheckReport
				require.NoError(t, json.Unmarshal([]byte(text), &r))
				require.Empty(t, r.Findings)
			}
		}
	}
}

// connection is one to a server.
type connection struct {
	t *testing.T
	net.Conn
}

func dial(t *testing.T, s *server) connection {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return connection{t, conn}
}

// say says something and expects an answer.
func (c connection) say(text, answer string) {
	c.t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(c.t, err)
	got := make([]byte, len(answer))
	_, err = io.ReadFull(c, got)
	require.NoError(c.t, err)
	require.Equal(c.t, answer, string(got))
}
