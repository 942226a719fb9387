package matrix

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// TestQuestionsAboutCores: every question is answered from a core as it is by the process at the same point, and by a snapshot
// that is made of the core; compressed ones too.
func TestQuestionsAboutCores(t *testing.T) {
	t.Setenv("GLASSHEAP", "guard=1/20")
	arguments, _ := plan(rows(t), "lines", "audit") // no case has this mode
	p := debugging.StartProcess(t, victim(t), arguments...)
	p.Line() // where it stands
	p.Line() // what it says itself
	questions := [][]string{
		{"check"}, {"structs"}, {"math"}, {"stats"}, {"bins"}, {"slabs"}, {"slabs", "34"}, {"map"}, {"map", "--bin", "34"},
		{"dump", "header"}, {"dump", "bin", "34"}, {"leaks"}, {"log"}, {"log", "--kind", "free"},
	}
	for _, address := range interesting(t, p.PID()) {
		questions = append(questions, []string{"whatis", address}, []string{"history", address}, []string{"hexdump", address, "600"})
	}
	want := answersOf(t, questions, p.PID())

	cores := map[string]string{"gcore": gcore(t, p)}
	if mayDump(t) {
		cores["kernel"] = kernelCore(t, p)
	}
	for name, core := range cores {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, want, answersOf(t, questions, core))
			require.Equal(t, want[:2], answersOf(t, questions[:2], "--core", core))
			snapshot := filepath.Join(t.TempDir(), "snapshot")
			debugging.Ask(t, "snapshot", core, snapshot)
			few := len(questions) - 6
			require.Equal(t, want[:1], answersOf(t, questions[:1], "--exe", victim(t), snapshot))
			require.Equal(t, want[few:], answersOf(t, questions[few:], "--exe", victim(t), snapshot))
			out, err := exec.Command("gzip", "-k1", core).CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Equal(t, want[:1], answersOf(t, questions[:1], core+".gz"))
		})
	}
}

// answersOf are the answers of a target to questions, without what belongs to the door and the moment.
func answersOf(t *testing.T, questions [][]string, target ...string) (answers []any) {
	t.Helper()
	for _, q := range questions {
		words := append([]string{q[0], "--json"}, target...)
		text := debugging.Ask(t, append(words, q[1:]...)...)
		var answer map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &answer), "%v: %s", words, text)
		withoutDoor(answer)
		answers = append(answers, map[string]any{fmt.Sprint(q): answer})
	}
	return answers
}

func withoutDoor(answer map[string]any) {
	for _, field := range []string{"elapsed_ns", "stopped_ns", "stops", "owner", "notes"} {
		delete(answer, field)
	}
	for _, part := range answer {
		if inner, ok := part.(map[string]any); ok {
			withoutDoor(inner)
		}
	}
}

// interesting are addresses in blocks of a heap, live and free ones, and in its header.
func interesting(t *testing.T, target string) []string {
	t.Helper()
	var slabs struct {
		Slabs []struct {
			Base string `json:"base"`
		} `json:"slabs"`
	}
	require.NoError(t, json.Unmarshal([]byte(debugging.Ask(t, "slabs", "--json", target, "34")), &slabs))
	require.NotEmpty(t, slabs.Slabs)
	base := baseIn(t, debugging.Ask(t, "stats", "--json", target))
	addresses := []string{fmt.Sprintf("%#x", base+100)}
	return append(addresses, slabs.Slabs[0].Base)
}
