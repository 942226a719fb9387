package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/dlvscripts"
	"github.com/glassheap/glassheap/gdb"
	"github.com/glassheap/glassheap/internal/debugging"
)

// TestEveryDoorAnswersAlike: a program stands at one point, its heap healthy or damaged in one way. Whoever asks, through whichever
// door, has the same answer, field by field.
func TestEveryDoorAnswersAlike(t *testing.T) {
	cases := []row{{name: "healthy"}}
	for _, r := range rows(t) {
		if slices.Contains(r.modes, sealed) {
			cases = append(cases, r)
		}
	}
	for i, c := range cases {
		if i > 0 && !debugging.Share(i, 8) {
			continue
		}
		t.Run(c.name, func(t *testing.T) { everyDoorAnswersAlike(t, c, victim(t), true) })
	}
	t.Run("stripped", func(t *testing.T) { everyDoorAnswersAlike(t, cases[0], strippedVictim(t), false) })
}

func everyDoorAnswersAlike(t *testing.T, c row, program string, symbols bool) {
	var played []row
	if len(c.steps) > 0 {
		played = []row{c}
	}
	arguments, stops := plan(played, "lines", sealed)
	p := debugging.StartProcess(t, program, arguments...)
	sameStop(t, stops[0], told(t, p.Line()))
	p.Line() // what it says itself
	questions := [][]string{{"check"}, {"structs"}, {"math"}, {"stats"}, {"bins"}, {"slabs"}, {"blocks", "34"}, {"leaks"}}
	if own := p.PID(); c.name == "healthy" {
		for _, address := range interesting(t, own) {
			questions = append(questions, []string{"whatis", address})
		}
	}
	want := answersAnyhow(t, questions, p.PID())
	require.NotEqual(t, noAnswer, want[0], "whatever is damaged, check has an answer")
	if c.name == "healthy" {
		require.NotContains(t, want, noAnswer)
	}
	same := func(door string, got []any) {
		t.Helper()
		require.Len(t, got, len(want), door)
		for i, q := range questions {
			require.Equal(t, want[i], got[i], "%s through %s", q, door)
		}
	}

	var own []any
	for _, q := range questions {
		_, err := fmt.Fprintln(p.In, "ask", strings.Join(q, " "))
		require.NoError(t, err)
		own = append(own, parsed(p.Line()))
	}
	same("the program itself", own)
	same("its memory file", answersAnyhow(t, questions, memfd(t, p.PID())))
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	if out, err := exec.Command(debugging.Program(t, debugging.Command), "snapshot", p.PID(), snapshot).CombinedOutput(); err == nil {
		same("a snapshot", answersAnyhow(t, questions, snapshot))
	} else {
		require.Contains(t, string(out), "header", "only a heap whose header is damaged can't be kept")
	}
	if mayDump(t) {
		same("the kernel's core", answersAnyhow(t, questions, kernelCore(t, p)))
	}
	g := debugging.NewGDB(t, gdb.Find, gdb.Unpack)
	same("gcore's core", answersAnyhow(t, questions, gcore(t, p)))

	var commands []string
	for _, q := range questions {
		commands = append(commands, strings.Join(append([]string{"glassheap", q[0], "--json"}, q[1:]...), " "))
	}
	transcript := g.Play(t, t.Context(), strings.Join(commands, "\n")+"\nshow version", "-p", p.PID())
	var said []any
	for i, command := range commands {
		found := debugging.Answers(transcript, command)
		require.NotEmpty(t, found, "%s: %s", questions[i], transcript)
		if parsed(found[0]) == noAnswer {
			t.Logf("GDB: %s: %s", command, found[0])
		}
		said = append(said, parsed(found[0]))
	}
	same("GDB", said)
	if !symbols {
		return // Delve needs them
	}

	address := debugging.AttachDelve(t, p.Process.Pid)
	same("Delve's RPC", answersAnyhow(t, questions, "--dlv", address))
	initFile, err := dlvscripts.Unpack(debugging.Folder, dlvscripts.Options{}, "")
	require.NoError(t, err)
	d := debugging.StartDelve(t, debugging.Folder, initFile, "connect", address)
	for i, q := range questions {
		if q[0] == "stats" {
			continue // there is no gh_stats
		}
		words := append([]string{"gh_" + q[0], "--json"}, q[1:]...)
		in := parsed(d.Ask(strings.Join(words, " ")))
		if q[0] == "check" { // it tells how much was read, and the scripts read no more than they need
			for _, answer := range []any{want[i], in} {
				if fields, ok := answer.(map[string]any); ok {
					delete(fields, "bytes")
				}
			}
		}
		require.Equal(t, want[i], in, "%s in Delve", q)
	}
}

// noAnswer stands for whatever a door says where the heap can't be asked.
const noAnswer = "no answer"

// parsed is an answer without what belongs to the door and the moment.
func parsed(text string) any {
	var answer map[string]any
	if json.Unmarshal([]byte(text), &answer) != nil {
		return noAnswer
	}
	withoutDoor(answer)
	return answer
}

// answersAnyhow are the command's answers to questions, some of which may have none.
func answersAnyhow(t *testing.T, questions [][]string, target ...string) (answers []any) {
	t.Helper()
	for _, q := range questions {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		words := append(append([]string{q[0], "--json"}, target...), q[1:]...)
		c := exec.CommandContext(ctx, debugging.Program(t, debugging.Command), words...)
		c.Env = append(os.Environ(), "NO_COLOR=1")
		out, _ := c.Output()
		require.NoError(t, ctx.Err(), "%v hangs", words)
		cancel()
		answers = append(answers, parsed(string(out)))
	}
	return answers
}
