package allocator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/leaksignature"
)

// TestAFileOfStacksIsWatchedFor: a heap that cannot read it is not made; the other one is audited.
func TestAFileOfStacksIsWatchedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leaks.txt")
	_, err := allocator.New(allocator.Options{BreakFile: path})
	require.ErrorContains(t, err, "the stacks to stop at can't be read")
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, leaksignature.Write(file, nil))
	require.NoError(t, file.Close())
	t.Setenv(allocator.Environment, "break="+path)
	h, err := allocator.New(allocator.Options{ReserveBytes: 16 << 20})
	require.NoError(t, err)
	defer h.Close()
	require.Equal(t, allocator.ModeAudit, h.Mode())
}

// TestTheNextRunStopsBeforeTheLeak: what one run leaked, a debugger stops at in the next, at the line that allocates it.
func TestTheNextRunStopsBeforeTheLeak(t *testing.T) {
	gdb, err := exec.LookPath("gdb")
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "gdb is missing")
		t.Skip("gdb is missing: apt-get install gdb")
	}
	folder := t.TempDir()
	program, leaks := filepath.Join(folder, "leaky"), filepath.Join(folder, "leaks.txt")
	out, err := exec.Command("go", "build", "-o", program, "./testdata/leaky").CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.Command(program, leaks).CombinedOutput()
	require.NoError(t, err, "%s", out)
	signatures, err := os.ReadFile(leaks)
	require.NoError(t, err)
	require.Contains(t, string(signatures), "main.forgets")
	require.NotContains(t, string(signatures), "main.remembers")

	debugger := exec.Command(gdb, "-batch", "-nx", "-ex", "set breakpoint pending off", "-ex", "break github.com/glassheap/glassheap/allocator.OnAlloc",
		"-ex", "run", "-ex", "backtrace", "-ex", "continue", "-ex", "continue", "-ex", "continue", "-ex", "continue", program)
	debugger.Env = append(os.Environ(), allocator.Environment+"=break="+leaks)
	said, _ := debugger.CombinedOutput() // the last continue finds no process any more
	// A stop is told twice when the goroutine has moved to another thread meanwhile.
	blocks := map[string]bool{}
	for _, stop := range regexp.MustCompile(`hit Breakpoint 1, .*OnAlloc \(address=(\d+)`).FindAllStringSubmatch(string(said), -1) {
		blocks[stop[1]] = true
	}
	require.Len(t, blocks, 2, "two allocations leak:\n%s", said)
	require.Regexp(t, `main\.forgets.*main\.go:\d+`, string(said))
}
