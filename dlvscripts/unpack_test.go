package dlvscripts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnpackRepairs: what lies in the folder is used only when it is what would be written.
func TestUnpackRepairs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	initFile, err := Unpack(dir, Options{}, "")
	require.NoError(t, err)
	line, err := os.ReadFile(initFile)
	require.NoError(t, err)
	script := strings.TrimSpace(strings.TrimPrefix(string(line), "source "))
	require.Equal(t, filepath.Join(filepath.Dir(initFile), "glassheap.star"), script)

	require.NoError(t, os.WriteFile(script, []byte("half of it"), 0o600))
	again, err := Unpack(dir, Options{}, "")
	require.NoError(t, err)
	require.Equal(t, initFile, again)
	text, err := os.ReadFile(script)
	require.NoError(t, err)
	require.Equal(t, Script(Options{}), text)

	coloured, err := Unpack(dir, Options{Color: true}, "")
	require.NoError(t, err)
	require.NotEqual(t, initFile, coloured, "a version of its own, in a folder of its own")
	left, err := filepath.Glob(filepath.Join(filepath.Dir(initFile), ".new-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestUsersInitIsKept: what the user wants to be run at the start is run, after the scripts.
func TestUsersInitIsKept(t *testing.T) {
	t.Parallel()
	own := filepath.Join(t.TempDir(), "own.init")
	require.NoError(t, os.WriteFile(own, []byte("break main.main\n"), 0o600))
	folder := t.TempDir()
	initFile, err := Unpack(folder, Options{}, own)
	require.NoError(t, err)
	text, err := os.ReadFile(initFile)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 2)
	require.True(t, strings.HasSuffix(lines[0], "glassheap.star"))
	require.Equal(t, "source "+own, lines[1])
	other, err := Unpack(folder, Options{}, "")
	require.NoError(t, err)
	require.NotEqual(t, other, initFile)
	_, err = Unpack(folder, Options{}, own+".missing")
	require.ErrorContains(t, err, "can't be read")
}
