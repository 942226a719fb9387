package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestConvertFile: the one command for a file, and what it says when it can't.
func TestConvertFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	in, out := filepath.Join(folder, "in.csv"), filepath.Join(folder, "out.parquet")
	run := func(flags ...string) (string, error) {
		c := exec.Command(program(t), append(append([]string{"convert", "-postmortems", filepath.Join(folder, "postmortems")}, flags...), in, out)...)
		said, err := c.CombinedOutput()
		return string(said), err
	}
	said, err := run()
	require.Error(t, err)
	require.Contains(t, said, "no such file")

	require.NoError(t, os.WriteFile(in, []byte(orders(2000)), 0o600))
	said, err = run("-where", "id<1000", "-derive", "next=id+1", "-origin", "from")
	require.NoError(t, err, said)
	require.Contains(t, said, "out.parquet: 1,000 rows of 2,000")
	file, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(file), "in.csv:2")

	said, err = run("-memory", "256KiB")
	require.Error(t, err)
	require.Contains(t, said, "the heap is at its limit of 256 KiB")
	require.NotContains(t, said, "live block")
	again, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, file, again, "what was there stays")
	all, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, all, 2, "nothing half done stays")
	said, err = run("-batch", "0")
	require.Error(t, err)
	require.Contains(t, said, `"0" is no number from 1`)
}
