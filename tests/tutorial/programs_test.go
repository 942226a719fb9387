package tutorial

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/gdbsession"
)

// built is the folder of what the tests build.
var built string

func TestMain(m *testing.M) {
	var err error
	if built, err = os.MkdirTemp("", "glassheap-tutorial-test-"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(built)
	os.Exit(status)
}

// glassheap is the path of the command, built once.
var glassheap = sync.OnceValues(func() (string, error) {
	path := filepath.Join(built, "glassheap")
	out, err := exec.Command("go", "build", "-o", path, module+"/cmd/glassheap").CombinedOutput()
	return path + string(out), err
})

// programs are the lessons' programs by their names, each built once.
var programs = sync.OnceValues(func() (map[string]string, error) {
	paths := map[string]string{}
	for _, l := range Lessons {
		folder, err := os.MkdirTemp(built, l.Name)
		if err != nil {
			return nil, err
		}
		if paths[l.Name], err = l.Build(context.Background(), folder); err != nil {
			return nil, err
		}
	}
	return paths, nil
})

// program is the path of a lesson's program.
func program(t *testing.T, lesson string) string {
	t.Helper()
	paths, err := programs()
	require.NoError(t, err)
	require.Contains(t, paths, lesson)
	return paths[lesson]
}

// victim is a program that waits to be looked at.
type victim struct {
	command *exec.Cmd
	in      io.WriteCloser
	said    string        // up to where it waits
	after   *bytes.Buffer // what it says when it goes on; whole when it has ended
	read    chan struct{}
}

// startVictim starts a lesson's program and returns when it waits.
func startVictim(t *testing.T, lesson string) *victim {
	t.Helper()
	v := &victim{command: exec.Command(program(t, lesson)), after: new(bytes.Buffer), read: make(chan struct{})}
	v.command.Env = append(os.Environ(), gdbsession.Steady...)
	in, err := v.command.StdinPipe()
	require.NoError(t, err)
	v.in = in
	out, write, err := os.Pipe() // both outputs in the order in which they were written
	require.NoError(t, err)
	v.command.Stdout, v.command.Stderr = write, write
	require.NoError(t, v.command.Start())
	write.Close()
	timer := time.AfterFunc(time.Minute, func() { _ = v.command.Process.Kill() })
	t.Cleanup(func() { v.end(); timer.Stop(); out.Close() })
	lines := bufio.NewReader(out)
	for !strings.Contains(v.said, "ready: ") {
		line, err := lines.ReadString('\n')
		require.NoError(t, err, v.said)
		v.said += line
	}
	go func() { _, _ = io.Copy(v.after, lines); close(v.read) }()
	return v
}

func (v *victim) pid() string { return strconv.Itoa(v.command.Process.Pid) }

// end lets the program go on to its end, and returns what it says then.
func (v *victim) end() string {
	v.in.Close()
	<-v.read
	_ = v.command.Wait()
	return v.after.String()
}
