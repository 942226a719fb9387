package inspect_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
	"github.com/glassheap/glassheap/internal/debugging"
)

// TestUnreachableInACore: what nothing refers to is found in the kernel's core of a program as it is in the program, with the names
// of its functions, and so is all that was allocated.
func TestUnreachableInACore(t *testing.T) {
	if reason := debugging.CoresElsewhere(); reason != "" {
		debugging.Skip(t, reason)
	}
	folder := t.TempDir()
	exe := buildLeaker(t)
	command := exec.Command(exe, "audit", "20")
	command.Dir, command.Env = folder, append(os.Environ(), "GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=crash")
	input, err := command.StdinPipe()
	require.NoError(t, err)
	defer input.Close()
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	awaitReady(t, output)
	pid := command.Process.Pid
	var limit unix.Rlimit
	require.NoError(t, unix.Prlimit(pid, unix.RLIMIT_CORE, nil, &limit))
	limit.Cur = limit.Max
	require.NoError(t, unix.Prlimit(pid, unix.RLIMIT_CORE, &limit, nil))

	live, err := target.OpenProcess(pid, target.Options{})
	require.NoError(t, err)
	want := unreachable(t, live)
	require.EqualValues(t, 102, want.Blocks)
	require.NoError(t, live.Close())

	require.NoError(t, command.Process.Signal(syscall.SIGABRT))
	_, _ = io.Copy(io.Discard, output)
	_ = command.Wait()
	cores, err := filepath.Glob(filepath.Join(folder, "core*"))
	require.NoError(t, err)
	if len(cores) == 0 {
		debugging.Skip(t, "the system wrote no core: raise ulimit -H -c")
	}
	core, err := target.OpenCore(t.Context(), cores[0], target.Options{})
	require.NoError(t, err)
	defer core.Close()
	got := unreachable(t, core)
	require.Equal(t, []uint64{want.Blocks, want.Bytes, want.Live, want.LiveBytes}, []uint64{got.Blocks, got.Bytes, got.Live, got.LiveBytes})
	require.Equal(t, want.Groups, got.Groups)
	require.Greater(t, got.RootBytes, uint64(100<<10))
	require.Empty(t, got.Notes)
	require.Zero(t, target.OwnerOf(core), "it has ended")
	require.Equal(t, exe, target.ExecutableOf(core))

	// Another executable is refused, and the right one is taken wherever it is.
	_, err = inspect.ProgramOf(core, buildLeaker(t, "-gcflags=-l"))
	require.ErrorContains(t, err, "this executable was not the program")
	program, err := inspect.ProgramOf(core, exe)
	require.NoError(t, err)
	require.NoError(t, program.Close())

	p, err := inspect.PostMortemOfCore(t.Context(), cores[0], target.Options{})
	require.NoError(t, err)
	require.Equal(t, []any{pid, "leaker", "SIGABRT", 0}, []any{p.PID, p.Program, p.Cause.Signal, p.Findings})
	require.Len(t, p.Heaps, 1)
	require.True(t, p.Heaps[0].Check.Healthy())
	require.Empty(t, p.Addresses)

	truncated(t, cores[0])
}

// truncated cuts a core of a healthy heap shorter and shorter: what is missing is never taken for damage, neither in the core nor in
// a snapshot of it.
func truncated(t *testing.T, path string) {
	info, err := os.Stat(path)
	require.NoError(t, err)
	opened, lacking := 0, 0
	const steps = 60
	for i := range steps {
		require.NoError(t, os.Truncate(path, info.Size()*int64(steps-i)/steps-1-int64(i)*12345))
		core, err := target.OpenCore(t.Context(), path, target.Options{})
		if lost := (*target.NotDumpedError)(nil); errors.As(err, &lost) {
			require.True(t, lost.Cut)
			continue
		}
		require.NoError(t, err)
		opened++
		require.Contains(t, core.(target.Warner).Warning(), "is not whole: it was cut off at byte")
		r, err := inspect.Check(t.Context(), core, inspect.CheckOptions{})
		require.NoError(t, err)
		require.Empty(t, r.Findings, "step %d", i)
		if r.Missing != nil {
			lacking++
			snapshot := filepath.Join(t.TempDir(), "snapshot")
			_, err := inspect.Snapshot(t.Context(), core, snapshot, inspect.SnapshotOptions{})
			require.NoError(t, err)
			s, err := target.OpenSnapshot(snapshot)
			require.NoError(t, err)
			again, err := inspect.Check(t.Context(), s, inspect.CheckOptions{})
			require.NoError(t, err)
			require.Empty(t, again.Findings)
			require.Equal(t, r.Missing.Blocks, again.Missing.Blocks)
			require.NoError(t, s.Close())
		}
		require.NoError(t, core.Close())
	}
	require.Positive(t, lacking, "of %d", opened)
}

func unreachable(t *testing.T, from target.Target) *inspect.LeaksReport {
	t.Helper()
	program, err := inspect.ProgramOf(from, "")
	require.NoError(t, err)
	r, err := inspect.Unreachable(t.Context(), from, program, inspect.LeakOptions{})
	require.NoError(t, err)
	return r
}
