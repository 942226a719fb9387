package dlvscripts

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFind: the environment's Delve, the one in PATH, the module's tool, and what is said when there is none.
func TestFind(t *testing.T) {
	ctx := context.Background()
	path, folder := os.Getenv("PATH"), t.TempDir()
	own := filepath.Join(folder, "own")
	for _, file := range []string{own, filepath.Join(folder, "dlv")} {
		require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"), 0o700))
	}
	t.Setenv("PATH", folder)
	t.Setenv(DelveVariable, own)
	found, err := Find(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{own}, found)

	t.Setenv(DelveVariable, "")
	found, err = Find(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(folder, "dlv")}, found)

	t.Setenv("PATH", t.TempDir())
	_, err = Find(ctx)
	require.ErrorContains(t, err, "go install github.com/go-delve/delve/cmd/dlv@v1.27.2")

	t.Setenv("PATH", path)
	found, err = Find(ctx)
	require.NoError(t, err)
	require.FileExists(t, found[0])
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words, rest []string
		init        string
	}{
		{[]string{"./x"}, []string{"./x"}, ""},
		{[]string{"--init", "a", "./x", "--", "--init", "b"}, []string{"./x", "--", "--init", "b"}, "a"},
		{[]string{"./x", "--init=a"}, []string{"./x"}, "a"},
		{[]string{"./x", "--", "--init=b"}, []string{"./x", "--", "--init=b"}, ""},
	} {
		rest, init, err := Split(c.words)
		require.NoError(t, err)
		require.Equal(t, c.rest, rest)
		require.Equal(t, c.init, init)
	}
	_, _, err := Split([]string{"--init", "--", "x"})
	require.Error(t, err)
}
