package dlvscripts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
	"github.com/glassheap/glassheap/internal/delvesession"
)

// The tests drive the real Delve, which comes as a tool of this module, over the program in testdata/heaps.

// heaps is the path of the program that is debugged, built the way that users ship theirs: optimised.
var heaps = sync.OnceValues(func() (string, error) {
	path := filepath.Join(built, "heaps")
	return path, debugging.Build(path, "./testdata/heaps")
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

// session is Delve with the scripts loaded.
type session struct {
	*delvesession.Session
	t *testing.T
}

// start runs Delve with these arguments: "exec", program, "--", "shop".
func start(t *testing.T, args ...string) *session {
	initFile, err := Unpack(built, Options{}, "")
	require.NoError(t, err)
	return &session{delvesession.Start(t, "testdata", initFile, args...), t}
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
func (s *session) ask(command string) string { return s.Ask(command) }

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
