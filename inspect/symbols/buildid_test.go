package symbols_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

func buildID(t *testing.T, path string) (string, error) {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	return symbols.BuildID(file)
}

func TestBuildID(t *testing.T) {
	path := plain(t)
	out, err := exec.Command("go", "tool", "buildid", path).Output()
	require.NoError(t, err)
	id, err := buildID(t, path)
	require.NoError(t, err)
	require.Equal(t, "go:"+strings.TrimSpace(string(out)), id)
	require.Equal(t, id, open(t, path).BuildID())
	kept, err := buildID(t, withoutSections(t, path))
	require.NoError(t, err)
	require.Equal(t, id, kept)

	// The first page of memory has it, too.
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	inMemory, err := symbols.BuildID(bytes.NewReader(raw[:4096]))
	require.NoError(t, err)
	require.Equal(t, id, inMemory)
}

func TestTheLinkersBuildID(t *testing.T) {
	path := build(t, "gnu", nil, "-ldflags=-buildid= -B 0x0123456789abcdef")
	id, err := buildID(t, path)
	require.NoError(t, err)
	require.Equal(t, "gnu:0123456789abcdef", id)

	path = build(t, "none", nil, "-ldflags=-buildid= -B none")
	_, err = buildID(t, path)
	require.ErrorIs(t, err, symbols.ErrNoBuildID)
	require.Empty(t, open(t, path).BuildID())
	_, err = symbols.OpenMatching(path, id)
	require.ErrorIs(t, err, symbols.ErrNoBuildID)
}

func TestAnotherExecutableIsRefused(t *testing.T) {
	path := plain(t)
	id, err := buildID(t, path)
	require.NoError(t, err)
	table, err := symbols.OpenMatching(path, id)
	require.NoError(t, err)
	require.NoError(t, table.Close())

	other := build(t, "-ldflags=-s -w", nil, "-ldflags=-s -w")
	_, err = symbols.OpenMatching(other, id)
	var wrong *symbols.WrongExecutableError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, id, wrong.Wanted)
	require.Contains(t, err.Error(), id)

	_, err = symbols.OpenMatching(path, "")
	require.ErrorIs(t, err, symbols.ErrNoBuildID)
	_, err = symbols.OpenMatching(path, "\x1b[2J")
	require.ErrorAs(t, err, &wrong)
	require.NotContains(t, err.Error(), "\x1b")
}

// TestNotes has notes that are not as they should be.
func TestNotes(t *testing.T) {
	for name, notes := range map[string]string{
		"none":                 "",
		"cut off":              "04000000 20000000 04000000 476f0000 61",
		"a huge name":          "ffffffff 04000000 04000000 476f0000 61626364",
		"a huge text":          "04000000 ffffffff 04000000 476f0000 61626364",
		"both huge":            "ffffffff ffffffff 04000000 476f0000 61626364",
		"empty":                "04000000 00000000 04000000 476f0000",
		"control characters":   "04000000 04000000 04000000 476f0000 611b5b32",
		"of another kind":      "04000000 04000000 05000000 476f0000 61626364",
		"of somebody else":     "04000000 04000000 04000000 476e0000 61626364",
		"no room for a header": "04000000 04000000",
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := hex.DecodeString(strings.ReplaceAll(notes, " ", ""))
			require.NoError(t, err)
			_, err = symbols.BuildID(bytes.NewReader(executable(noteSegment, raw)))
			require.ErrorIs(t, err, symbols.ErrNoBuildID)
		})
	}
	good, err := hex.DecodeString("0400000001000000ff000000476f0000" + "61000000" + "0400000003000000" + "04000000476f0000" + "616263")
	require.NoError(t, err)
	id, err := symbols.BuildID(bytes.NewReader(executable(noteSegment, good)))
	require.NoError(t, err)
	require.Equal(t, "go:abc", id, "behind another note, with padding, and without at the end")
}

func TestOpenFileThatIsNone(t *testing.T) {
	_, err := symbols.OpenFile(filepath.Join(t.TempDir(), "nothing"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = symbols.OpenFile(t.TempDir())
	require.ErrorContains(t, err, "no regular file")
}
