package gdb

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

var update = flag.Bool("update", false, "rewrite the golden files and the transcripts of docs/gdb.md")

func TestMain(m *testing.M) { debugging.Main(m) }

// needGDB skips a test where there is no gdb.
func needGDB(t *testing.T) debugging.GDB {
	t.Helper()
	return debugging.NewGDB(t, Find, Unpack)
}

// The victim in the ways that programs are built.
func victim(t *testing.T) string { return debugging.Program(t, "./testdata/victim") }
func unoptimisedVictim(t *testing.T) string {
	return debugging.Program(t, "./testdata/victim", "-gcflags=all=-N -l")
}
func strippedVictim(t *testing.T) string {
	return debugging.Program(t, "./testdata/victim", "-ldflags=-s -w")
}

// play runs commands in gdb, which is started with these arguments, and returns the transcript.
func play(t *testing.T, commands string, arguments ...string) string {
	t.Helper()
	return needGDB(t).Play(t, t.Context(), commands, arguments...)
}

// answer is what a command has printed, which was run once.
func answer(t *testing.T, transcript, command string) string {
	t.Helper()
	found := debugging.Answers(transcript, command)
	require.Len(t, found, 1, "runs of %q in:\n%s", command, transcript)
	return found[0]
}

// startVictim starts a victim that waits, and returns it when it is ready.
func startVictim(t *testing.T, path string, arguments ...string) *debugging.Process {
	t.Helper()
	p := debugging.StartProcess(t, path, arguments...)
	require.Equal(t, "ready\n", p.Line())
	return p
}

// golden holds a text against a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	debugging.Golden(t, filepath.Join("testdata", name+".golden"), text, *update)
}
