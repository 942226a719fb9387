package dlvscripts

import (
	"bufio"
	"encoding/json"
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

// The tests drive the real Delve, which comes as a tool of this module, over the program in testdata/heaps.

// delve is the path of the built tool.
var delve = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-n", "dlv").Output()
	return strings.TrimSpace(string(out)), err
})

// heaps is the path of the program that is debugged, built the way that users ship theirs: optimised.
var heaps = sync.OnceValues(func() (string, error) {
	path := filepath.Join(built, "heaps")
	out, err := exec.Command("go", "build", "-o", path, "./testdata/heaps").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// built is the folder of what the tests build.
var built string

func TestMain(m *testing.M) {
	var err error
	if built, err = os.MkdirTemp("", "dlvscripts"); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(built)
	os.Exit(status)
}

// session is Delve with the scripts loaded, typed at through a pipe.
type session struct {
	t       *testing.T
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	asked   int
}

// mark is a command that shows where the answer to another one ends.
const mark = `
def command_mark(args):
    print("#### " + args)
`

// start runs Delve with these arguments: "exec", program, "--", "shop".
func start(t *testing.T, args ...string) *session {
	dlv, err := delve()
	require.NoError(t, err)
	initFile, err := Unpack(built, Options{}, "")
	require.NoError(t, err)
	marker := filepath.Join(t.TempDir(), "mark.star")
	require.NoError(t, os.WriteFile(marker, []byte(mark), 0o600))

	args = append([]string{args[0], "--init", initFile, "--allow-non-terminal-interactive=true"}, args[1:]...)
	s := &session{t: t, command: exec.Command(dlv, args...)}
	// One P: which block comes from where is then the same each time.
	s.command.Env = append(os.Environ(), "GOMAXPROCS=1", "NO_COLOR=1", "TERM=dumb", "GOTRACEBACK=crash")
	s.command.Dir = "testdata"
	s.in, err = s.command.StdinPipe()
	require.NoError(t, err)
	out, err := s.command.StdoutPipe()
	require.NoError(t, err)
	s.command.Stderr = s.command.Stdout
	s.out = bufio.NewReader(out)
	require.NoError(t, s.command.Start())
	timer := time.AfterFunc(2*time.Minute, func() { _ = s.command.Process.Kill() })
	t.Cleanup(func() {
		_, _ = io.WriteString(s.in, "exit\ny\n")
		s.in.Close()
		_, _ = io.Copy(io.Discard, s.out)
		_ = s.command.Wait()
		timer.Stop()
	})
	require.Contains(t, s.ask("source "+marker), "`gh` lists what you can ask", "the scripts were loaded")
	return s
}

// startHeaps runs the test program until it stops in the first of these scenes.
func startHeaps(t *testing.T, scenes ...string) *session {
	program, err := heaps()
	require.NoError(t, err)
	s := start(t, append([]string{"exec", program, "--"}, scenes...)...)
	s.ask("break main.stop")
	s.ask("continue")
	return s
}

// ask types a command and returns what it prints.
func (s *session) ask(command string) string {
	s.asked++
	end := "#### " + strconv.Itoa(s.asked)
	_, err := fmt.Fprintf(s.in, "%s\nmark %d\n", command, s.asked)
	require.NoError(s.t, err)
	var answer strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("Delve ended: %v; it said:\n%s%s", err, answer.String(), line)
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

// askJSON types a command that answers with JSON.
func (s *session) askJSON(command string) map[string]any {
	answer := s.ask(command + " --json")
	var value map[string]any
	require.NoError(s.t, json.Unmarshal([]byte(answer), &value), "%s: %s", command, answer)
	return value
}

// pid is the process that is debugged.
func (s *session) pid() int {
	return int(s.askJSON("gh_bins #1")["heap"].(map[string]any)["owner"].(map[string]any)["pid"].(float64))
}
