package dlvscripts

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// The tests drive the real Delve, which comes as a tool of this module, over the program in testdata/heaps.

// heaps is the path of the program that is debugged, built the way that users ship theirs: optimised.
func heaps(t *testing.T) string { return debugging.Program(t, "./testdata/heaps") }

func TestMain(m *testing.M) { debugging.Main(m) }

// session is Delve with the scripts loaded.
type session struct{ *debugging.Delve }

// start runs Delve with these arguments: "exec", program, "--", "shop".
func start(t *testing.T, args ...string) *session {
	initFile, err := Unpack(debugging.Folder, Options{}, "")
	require.NoError(t, err)
	return &session{debugging.StartDelve(t, "testdata", initFile, args...)}
}

// startHeaps runs the test program until it stops in the first of these scenes.
func startHeaps(t *testing.T, scenes ...string) *session {
	program := heaps(t)
	s := start(t, append([]string{"exec", program, "--"}, scenes...)...)
	s.Ask("break main.stop")
	s.Ask("continue")
	return s
}

// pid is the process that is debugged.
func (s *session) pid() int {
	return int(s.AskJSON("gh_bins #1")["heap"].(map[string]any)["owner"].(map[string]any)["pid"].(float64))
}
