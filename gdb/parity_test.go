package gdb

import (
	"encoding/json"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// named is where a suggested command names the process, which it does not in gdb.
var named = regexp.MustCompile("`(glassheap \\w+) \\d+")

// facts is an answer's JSON without what depends on the door and the moment: who was asked, and how long it took.
func facts(t *testing.T, text string) any {
	t.Helper()
	if strings.HasPrefix(text, "glassheap: ") {
		return named.ReplaceAllString(text, "`$1") // there was no answer: for the same reason
	}
	var value map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &value), "%s", text)
	for _, field := range []string{"elapsed_ns", "stopped_ns", "stops"} {
		delete(value, field)
	}
	if heap, ok := value["heap"].(map[string]any); ok {
		delete(heap, "owner")
	}
	if now, ok := value["now"].(map[string]any); ok { // history answers with a whatis in it
		if heap, ok := now["heap"].(map[string]any); ok {
			delete(heap, "owner")
		}
	}
	return value
}

// sameFacts asks questions in gdb and from the command line about the same stopped process, and compares the answers field by
// field.
func sameFacts(t *testing.T, transcript string, questions ...string) {
	t.Helper()
	for _, question := range questions {
		require.Equal(t, facts(t, answer(t, transcript, "cli "+question)), facts(t, answer(t, transcript, "glassheap "+question)), "%s", question)
	}
}

// both is each question as a command of gdb and of the command line.
func both(questions ...string) string {
	var b strings.Builder
	for _, q := range questions {
		b.WriteString("glassheap " + q + "\ncli " + q + "\n")
	}
	return b.String()
}

// withoutAddress are the questions that can be asked of any heap.
var withoutAddress = []string{
	"check --json", "structs --json", "math --json", "stats --json", "bins --json", "slabs --json", "slabs --json 4", "blocks --json 8", "map --json", "map --json --bin 4", "map --json --slab 8",
	"dump --json header", "dump --json slab 0", "dump --json bin 3", "leaks --json", "log --json", "log --json --last 0 --kind free",
}

func TestAnswersAreThoseOfTheCommandLine(t *testing.T) {
	t.Parallel()
	needGDB(t)
	for i, c := range []struct {
		name, heap string
		build      func(*testing.T) string
	}{
		{"optimised", "", victim},
		{"not optimised", "", unoptimisedVictim},
		{"geometry of the notes", "notes", victim},
		{"no seals", "plain", victim},
		{"anonymous memory", "anonymous", victim},
		{"overflow", "overflow", victim},
		{"audit", "audit", victim},
		{"guarded", "guarded", victim},
	} {
		if !debugging.Share(i, 3) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			commands := "break main.ready\nrun " + c.heap + "\n"
			if c.heap == "overflow" || c.heap == "audit" || c.heap == "guarded" {
				commands += "continue\n"
			}
			transcript := play(t, commands+both(withoutAddress...), c.build(t))
			sameFacts(t, transcript, withoutAddress...)
		})
	}
}

func TestAddressesMeanTheSame(t *testing.T) {
	t.Parallel()
	needGDB(t)
	questions := []string{"whatis", "hexdump", "blocks", "map", "history"}
	const fromOutside = "python [gdb.execute('cli ' + q + ' --json ' + hex(int(gdb.parse_and_eval('b.array')))) for q in ('whatis', 'hexdump', 'blocks', 'map', 'history')]"
	commands := "break main.ready\nrun overflow\ncontinue\n" + fromOutside + "\n"
	for _, q := range questions {
		commands += "glassheap " + q + " b --json\n"
	}
	transcript := play(t, commands, victim(t))
	outside := outsideAnswers(t, answer(t, transcript, fromOutside), len(questions))
	for i, q := range questions {
		require.Equal(t, facts(t, outside[i]), facts(t, answer(t, transcript, "glassheap "+q+" b --json")), q)
	}
}

// outsideAnswers takes apart the answers that the command line has given, one behind the other.
func outsideAnswers(t *testing.T, text string, count int) (answers []string) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	for range count {
		var raw json.RawMessage
		require.NoError(t, decoder.Decode(&raw))
		answers = append(answers, string(raw))
	}
	return answers
}

// TestStrippedProgramsAreUnderstood attaches to programs that have neither symbols nor DWARF.
func TestStrippedProgramsAreUnderstood(t *testing.T) {
	t.Parallel()
	needGDB(t)
	for _, kind := range []string{"wait", "anonymous wait", "audit wait"} {
		t.Run(kind, func(t *testing.T) {
			c := startVictim(t, strippedVictim(t), kind)
			transcript := play(t, both(withoutAddress...)+"glassheap whatis $sp\nglassheap watch 0x10\nglassheap break init", "-p", c.PID())
			sameFacts(t, transcript, withoutAddress...)
			require.Contains(t, answer(t, transcript, "glassheap whatis $sp"), "outside of this heap")
			require.Contains(t, answer(t, transcript, "glassheap watch 0x10"), "lies in no block")
			require.Contains(t, answer(t, transcript, "glassheap break init"), "it is stripped")
			require.NoError(t, c.Process.Signal(syscall.Signal(0)), "the process goes on after gdb has left")
		})
	}
}
