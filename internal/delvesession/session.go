// Package delvesession plays sessions in Delve for tests: commands are typed at the real Delve, and what it answers becomes a
// transcript that is the same in every run.
package delvesession

import (
	"bufio"
	"fmt"
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
)

// Delve is the path of the Delve that comes as a tool of this module.
var Delve = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-n", "dlv").Output()
	return strings.TrimSpace(string(out)), err
})

// Session is Delve with the scripts loaded, typed at through a pipe.
type Session struct {
	T       *testing.T
	Command *exec.Cmd
	In      io.WriteCloser
	Out     *bufio.Reader
	asked   int
}

// mark is a command that shows where the answer to another one ends.
const mark = `
def command_mark(args):
    print("#### " + args)
`

// Start runs Delve in a folder, with the init file that loads the scripts and these arguments: "exec", program, "--", "shop".
func Start(t *testing.T, folder, initFile string, args ...string) *Session {
	dlv, err := Delve()
	require.NoError(t, err)
	marker := filepath.Join(t.TempDir(), "mark.star")
	require.NoError(t, os.WriteFile(marker, []byte(mark), 0o600))

	args = append([]string{args[0], "--init", initFile, "--allow-non-terminal-interactive=true"}, args[1:]...)
	s := &Session{T: t, Command: exec.Command(dlv, args...)}
	// One P: which block comes from where is then the same each time.
	s.Command.Env = append(os.Environ(), "GOMAXPROCS=1", "NO_COLOR=1", "TERM=dumb", "GOTRACEBACK=crash")
	s.Command.Dir = folder
	s.In, err = s.Command.StdinPipe()
	require.NoError(t, err)
	out, err := s.Command.StdoutPipe()
	require.NoError(t, err)
	s.Command.Stderr = s.Command.Stdout
	s.Out = bufio.NewReader(out)
	require.NoError(t, s.Command.Start())
	timer := time.AfterFunc(2*time.Minute, func() { _ = s.Command.Process.Kill() })
	t.Cleanup(func() {
		_, _ = io.WriteString(s.In, "exit\ny\n")
		s.In.Close()
		_, _ = io.Copy(io.Discard, s.Out)
		_ = s.Command.Wait()
		timer.Stop()
	})
	require.Contains(t, s.Ask("source "+marker), "`gh` lists what you can ask", "the scripts were loaded")
	return s
}

// Ask types a command and returns what it prints.
func (s *Session) Ask(command string) string {
	s.asked++
	end := "#### " + strconv.Itoa(s.asked)
	_, err := fmt.Fprintf(s.In, "%s\nmark %d\n", command, s.asked)
	require.NoError(s.T, err)
	var answer strings.Builder
	for {
		line, err := s.Out.ReadString('\n')
		if err != nil {
			s.T.Fatalf("Delve ended: %v; it said:\n%s%s", err, answer.String(), line)
		}
		for strings.HasPrefix(line, "(dlv) ") {
			line = strings.TrimPrefix(line, "(dlv) ")
		}
		if strings.TrimSpace(line) == end {
			return answer.String()
		}
		answer.WriteString(line)
	}
}
