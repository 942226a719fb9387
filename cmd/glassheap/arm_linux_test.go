package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestArmChangesARunningHeap, if its program allows it, and no other.
func TestArmChangesARunningHeap(t *testing.T) {
	program := filepath.Join(t.TempDir(), "armable")
	out, err := exec.Command("go", "build", "-o", program, "./testdata/armable").CombinedOutput()
	require.NoError(t, err, "%s", out)
	start := func(environment string) (pid string, ask func() string) {
		c := exec.Command(program)
		c.Env = append(os.Environ(), allocator.Environment+"="+environment)
		in, err := c.StdinPipe()
		require.NoError(t, err)
		said, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		t.Cleanup(func() {
			in.Close()
			require.NoError(t, c.Wait())
		})
		lines := bufio.NewScanner(said)
		return strconv.Itoa(c.Process.Pid), func() string {
			_, err := in.Write([]byte("?\n"))
			require.NoError(t, err)
			require.True(t, lines.Scan())
			return lines.Text()
		}
	}
	arm := func(args ...string) (string, error) {
		said, err := os.Create(filepath.Join(t.TempDir(), "said"))
		require.NoError(t, err)
		defer said.Close()
		c := newRoot(&terminal{in: os.Stdin, out: said, err: said})
		c.SetArgs(append([]string{"arm"}, args...))
		failed := c.ExecuteContext(context.Background())
		text, err := os.ReadFile(said.Name())
		require.NoError(t, err)
		return string(text), failed
	}
	pid, ask := start("armable=yes")
	require.Equal(t, "sealed 0", ask())
	answer, err := arm(pid, "audit", "--guard", "1/8")
	require.NoError(t, err)
	require.Equal(t, "heap \"armable\" in process "+pid+": mode audit, one of 8 blocks is guarded\n", answer)
	require.Regexp(t, `^audit \d+$`, ask())
	require.NotEqual(t, "audit 0", ask(), "blocks are guarded")
	_, err = arm(pid, "plain")
	require.ErrorContains(t, err, "stays in mode audit")
	answer, err = arm(pid, "sealed", "--guard", "off", "--json")
	require.NoError(t, err)
	require.JSONEq(t, `{"heap": "armable", "mode": "sealed", "guard_rate": 0}`, answer)

	other, ask := start("")
	require.Equal(t, "sealed 0", ask())
	_, err = arm(other, "audit")
	require.ErrorIs(t, err, target.ErrNotArmable)
	require.Equal(t, "sealed 0", ask())

	for complaint, args := range map[string][]string{
		"is no process id": {"many", "audit"}, "no mode is called": {other, "loud"}, "write 1/N, or off": {other, "--guard", "8"}, "arm wants a mode": {other},
	} {
		_, err = arm(args...)
		require.ErrorContains(t, err, complaint)
	}
}
