package inspect_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// builtLeakers are the programs that were built of testdata/leaker, by the arguments of the build. They lie in folders below
// leakerFolder.
var (
	builtLeakers sync.Map
	leakerFolder string
)

func TestMain(m *testing.M) {
	var err error
	if leakerFolder, err = os.MkdirTemp("", "leaker"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(leakerFolder)
	os.Exit(code)
}

// buildLeaker builds testdata/leaker, once for each list of arguments.
func buildLeaker(t testing.TB, arguments ...string) string {
	t.Helper()
	once, _ := builtLeakers.LoadOrStore(strings.Join(arguments, " "), sync.OnceValues(func() (string, error) {
		folder, err := os.MkdirTemp(leakerFolder, "")
		if err != nil {
			return "", err
		}
		path := filepath.Join(folder, "leaker")
		command := exec.Command("go", append(append([]string{"build", "-o", path}, arguments...), "./testdata/leaker")...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Logf("%s", out)
			return "", err
		}
		return path, nil
	}))
	path, err := once.(func() (string, error))()
	require.NoError(t, err)
	return path
}

// leaker is a process of testdata/leaker, and what its own allocator says.
type leaker struct {
	target target.Target
	pid    int
	leaks  []ownLeak
}

type ownLeak struct {
	Blocks, Bytes uint64
	Frames        []inspect.Frame
}

// startLeaker starts a leaker. It ends with the test.
func startLeaker(t testing.TB, path string, arguments ...string) *leaker {
	t.Helper()
	command := exec.Command(path, arguments...)
	// The handler of a signal keeps the registers of whom it interrupted, on a stack of its own: an address may be left there.
	command.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	l := &leaker{pid: command.Process.Pid}
	t.Cleanup(func() {
		input.Close()
		_, _ = io.Copy(io.Discard, output)
		require.NoError(t, command.Wait())
	})
	l.leaks = awaitReady(t, output)
	l.target, err = target.OpenProcess(l.pid, target.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { l.target.Close() })
	return l
}

// awaitReady waits until a leaker is ready, and returns what it says of its leaks.
func awaitReady(t testing.TB, output io.Reader) (leaks []ownLeak) {
	t.Helper()
	lines := bufio.NewReader(output)
	text, err := lines.ReadBytes('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &leaks))
	ready, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", ready)
	return leaks
}

// open is the heap of the leaker, with its program.
func (l *leaker) open(t testing.TB, exe string) *inspect.Heap {
	t.Helper()
	return openNamed(t, l.target, exe)
}

// waitFor reads until a text was written.
func waitFor(t *testing.T, from io.Reader, text string) {
	t.Helper()
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		if line == text {
			return
		}
	}
}

// waitForZombie waits for the end of a child that nobody has waited for, and leaves it as it is.
func waitForZombie(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
}
