package debugging

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

// findDelve is the path of Delve, which comes as a tool of this module.
var findDelve = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-n", "dlv").Output()
	return strings.TrimSpace(string(out)), err
})

// inDelve is the environment in which a program is debugged. With one P, which block comes from where is the same each time.
var inDelve = []string{"GOMAXPROCS=1", "NO_COLOR=1", "TERM=dumb", "GOTRACEBACK=crash"}

// Delve is a terminal of Delve with the scripts loaded, typed at through a pipe.
type Delve struct {
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

// mostDelveTime is when a Delve is stuck.
const mostDelveTime = 2 * time.Minute

// StartDelve runs Delve in a folder with these arguments: "exec", program, "--", "shop". initFile loads the scripts. It ends
// with the test.
func StartDelve(t *testing.T, folder, initFile string, args ...string) *Delve {
	t.Helper()
	return StartDelveWith(t, nil, folder, initFile, args...)
}

// StartDelveWith is StartDelve with more in the environment: "GLASSHEAP=mode=audit".
func StartDelveWith(t *testing.T, environment []string, folder, initFile string, args ...string) *Delve {
	t.Helper()
	path, err := findDelve()
	require.NoError(t, err)
	marker := filepath.Join(t.TempDir(), "mark.star")
	require.NoError(t, os.WriteFile(marker, []byte(mark), 0o600))

	args = append([]string{args[0], "--init", initFile, "--allow-non-terminal-interactive=true"}, args[1:]...)
	d := &Delve{T: t, Command: exec.Command(path, args...)}
	d.Command.Env = append(append(os.Environ(), inDelve...), environment...)
	d.Command.Dir = folder
	d.In, err = d.Command.StdinPipe()
	require.NoError(t, err)
	out, err := d.Command.StdoutPipe()
	require.NoError(t, err)
	d.Command.Stderr = d.Command.Stdout
	d.Out = bufio.NewReader(out)
	require.NoError(t, d.Command.Start())
	timer := time.AfterFunc(mostDelveTime, func() { _ = d.Command.Process.Kill() })
	t.Cleanup(func() {
		_, _ = io.WriteString(d.In, "exit\ny\n")
		d.In.Close()
		_, _ = io.Copy(io.Discard, d.Out)
		_ = d.Command.Wait()
		timer.Stop()
	})
	require.Contains(t, d.Ask("source "+marker), "`gh` lists what you can ask", "the scripts were loaded")
	return d
}

// Ask types a command and returns what it prints.
func (d *Delve) Ask(command string) string {
	d.asked++
	end := "#### " + strconv.Itoa(d.asked)
	_, err := fmt.Fprintf(d.In, "%s\nmark %d\n", command, d.asked)
	require.NoError(d.T, err)
	var answer strings.Builder
	for {
		line, err := d.Out.ReadString('\n')
		if err != nil {
			d.T.Fatalf("Delve ended: %v; it said:\n%s%s", err, answer.String(), line)
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

// AskJSON types a command that answers with JSON.
func (d *Delve) AskJSON(command string) map[string]any {
	answer := d.Ask(command + " --json")
	var value map[string]any
	require.NoError(d.T, json.Unmarshal([]byte(answer), &value), "%s: %s", command, answer)
	return value
}

// ServeDelve runs a headless Delve for several clients over a program, as editors do, and returns its address. It ends with
// the test.
func ServeDelve(t *testing.T, program string, args ...string) string {
	t.Helper()
	return serveDelve(t, append([]string{"exec", program, "--headless", "--accept-multiclient", "--listen", "127.0.0.1:0", "--"}, args...))
}

// AttachDelve is ServeDelve over a process that runs already.
func AttachDelve(t *testing.T, pid int) string {
	t.Helper()
	return serveDelve(t, []string{"attach", strconv.Itoa(pid), "--headless", "--accept-multiclient", "--listen", "127.0.0.1:0"})
}

func serveDelve(t *testing.T, line []string) string {
	t.Helper()
	path, err := findDelve()
	require.NoError(t, err)
	server := exec.Command(path, line...)
	server.Env = append(os.Environ(), inDelve...)
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	timer := time.AfterFunc(mostDelveTime, func() { _ = server.Process.Kill() })
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt) // then it ends the program too
		_ = server.Wait()
		timer.Stop()
	})
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, lines) }() // what the program prints: Wait ends it
	_, address, found := strings.Cut(strings.TrimSpace(first), "listening at: ")
	require.True(t, found, first)
	return address
}
