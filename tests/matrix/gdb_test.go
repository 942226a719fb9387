package matrix

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/gdb"
	"github.com/glassheap/glassheap/internal/debugging"
)

const check = "glassheap check --json"

// gdb asks a victim that GDB holds, and cores that GDB makes of it at each stop.
func (a *answers) gdb(t *testing.T, rows []row) {
	g := debugging.NewGDB(t, gdb.Find, gdb.Unpack)
	arguments, stops := plan(rows, "breakpoint", sealed)
	folder := t.TempDir()
	var cores []string
	commands, onCores := "break main.looked\nrun "+strings.Join(arguments, " ")+"\n", ""
	for i := range stops {
		core := filepath.Join(folder, fmt.Sprintf("core.%d", i))
		cores = append(cores, core)
		commands += check + "\ngcore " + core + "\ncontinue\n"
		onCores += "core-file " + core + "\n" + check + "\n"
	}
	live := a.played(t, "gdb", stops, g.Play(t, t.Context(), commands, victim(t)))
	for _, core := range cores {
		a.add(t, sealed, "gcore", debugging.Ask(t, "check", "--json", core))
	}
	t.Run("cores", func(t *testing.T) {
		a.addAll(t, "core in gdb", live, g.Play(t, t.Context(), onCores, "-se", victim(t)))
	})
}

// gdbStripped asks a victim that has neither symbols nor DWARF: the heap's own schema tells where everything lies.
func (a *answers) gdbStripped(t *testing.T, rows []row) {
	g := debugging.NewGDB(t, gdb.Find, gdb.Unpack)
	arguments, stops := plan(rows, "trap", sealed)
	commands := "run " + strings.Join(arguments, " ") + "\n" + strings.Repeat(check+"\ncontinue\n", len(stops))
	a.played(t, "stripped in gdb", stops, g.Play(t, t.Context(), commands, strippedVictim(t)))
}

// played keeps the answers in a transcript of a process that has said where it stood.
func (a *answers) played(t *testing.T, door string, stops []stop, transcript string) int {
	t.Helper()
	lines := stopLine.FindAllString(transcript, -1)
	require.Len(t, lines, len(stops), "%s", transcript)
	for i, planned := range stops {
		sameStop(t, planned, told(t, lines[i]))
	}
	a.addAll(t, door, len(stops), transcript)
	return len(stops)
}

func (a *answers) addAll(t *testing.T, door string, stops int, transcript string) {
	t.Helper()
	found := debugging.Answers(transcript, check)
	require.Len(t, found, stops, "%s", transcript)
	for _, text := range found {
		a.add(t, sealed, door, text)
	}
}
