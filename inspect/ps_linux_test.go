package inspect_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/target"
)

// psOf lists the heaps of some processes.
func psOf(t *testing.T, pids ...int) (rows []inspect.HeapRow, r *inspect.PsReport) {
	t.Helper()
	var conditions []string
	for _, pid := range pids {
		conditions = append(conditions, fmt.Sprintf("pid == %d", pid))
	}
	q, err := inspect.HeapColumns.Parse(query.Words{Where: strings.Join(conditions, " or "), Sort: "pid"})
	require.NoError(t, err)
	r, err = inspect.Ps(t.Context(), q)
	require.NoError(t, err)
	return r.Heaps, r
}

// memoryFileOf opens the memory file of a process's heap, as one that inherits it has it.
func memoryFileOf(t *testing.T, pid int) *os.File {
	t.Helper()
	links, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
	require.NoError(t, err)
	for _, link := range links {
		if name, _ := os.Readlink(link); strings.HasPrefix(name, "/memfd:glassheap:") {
			file, err := os.Open(link)
			require.NoError(t, err)
			return file
		}
	}
	require.Fail(t, "the process has no memory file")
	return nil
}

// TestPs follows a heap from its process to one that merely holds its memory, and from there on when its process is killed.
func TestPs(t *testing.T) {
	owner := exec.Command(buildLeaker(t), "audit", "50")
	input, err := owner.StdinPipe()
	require.NoError(t, err)
	defer input.Close()
	output, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	waitFor(t, output, "ready\n")
	pid := owner.Process.Pid

	inherited := memoryFileOf(t, pid)
	holder := exec.Command("cat")
	holder.ExtraFiles = []*os.File{inherited}
	holding, err := holder.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	defer func() {
		holding.Close()
		_ = holder.Wait()
	}()
	require.NoError(t, inherited.Close())

	rows, all := psOf(t, pid, holder.Process.Pid)
	require.Len(t, rows, 2)
	own, held := rows[0], rows[1]
	if own.PID != pid {
		own, held = held, own
	}
	require.Equal(t, []any{pid, "leaker", "leaker", inspect.HoldOwn, pid, "audit", "memfd", false}, []any{own.PID, own.Program, own.Heap, own.Hold, own.Maker, own.Mode, own.Backing, own.Several})
	require.NotZero(t, own.Base)
	require.NotEmpty(t, own.User)
	stats := func(pid int) *inspect.StatsReport {
		t.Helper()
		from, err := target.OpenProcess(pid, target.Options{})
		require.NoError(t, err)
		defer from.Close()
		h, err := inspect.Open(t.Context(), from)
		require.NoError(t, err)
		r, err := h.Stats(t.Context())
		require.NoError(t, err)
		return r
	}
	s := stats(pid)
	require.Equal(t, []uint64{s.InUseBytes, s.MappedBytes}, []uint64{own.InUse, own.Mapped})
	require.Greater(t, own.Memory, own.InUse/2)
	require.Equal(t, []any{"leaker", inspect.HoldHeld, pid, inspect.Address(0), own.InUse, own.Memory}, []any{held.Heap, held.Hold, held.Maker, held.Base, held.InUse, held.Memory})
	require.Equal(t, strconv.Itoa(held.PID), held.Argument())
	require.Positive(t, all.Processes)

	// Killed, and not waited for: its memory is gone, but for the holder's.
	require.NoError(t, owner.Process.Kill())
	waitForZombie(t, pid)
	rows, all = psOf(t, pid, holder.Process.Pid)
	require.Positive(t, all.Ended)
	require.Len(t, rows, 1)
	require.Equal(t, []any{holder.Process.Pid, "leaker", inspect.HoldOrphaned, pid}, []any{rows[0].PID, rows[0].Heap, rows[0].Hold, rows[0].Maker})
	_ = owner.Wait()
	require.Equal(t, s.LiveBlocks, stats(holder.Process.Pid).LiveBlocks, "what the last column names can be asked")
}

// TestPsOfSeveralHeaps: each has a row, and a name by which a command takes it.
func TestPsOfSeveralHeaps(t *testing.T) {
	newHeap(t, allocator.Options{Name: "one"})
	newHeap(t, allocator.Options{Name: "two", Mode: allocator.ModePlain})
	newHeap(t, allocator.Options{Name: "three", Backing: allocator.BackingAnonymous})
	rows, _ := psOf(t, os.Getpid())
	found := map[string]inspect.HeapRow{}
	for _, r := range rows {
		found[r.Heap] = r
	}
	for _, name := range []string{"one", "two", "three"} {
		r := found[name]
		require.True(t, r.Several)
		require.Equal(t, inspect.HoldOwn, r.Hold)
		require.Contains(t, r.Argument(), fmt.Sprintf("%d --heap '#", os.Getpid()))
		self, err := target.Self(target.Options{Heap: fmt.Sprintf("#%d", r.Number)})
		require.NoError(t, err)
		require.Equal(t, name, self.Description().Heap)
		require.NoError(t, self.Close())
	}
	require.Equal(t, "plain", found["two"].Mode)
	require.Equal(t, "anonymous", found["three"].Backing)
	require.Zero(t, found["three"].Memory)
}

// TestAHeldHeapBesideOnesOwn: a process that has a heap and holds another one's is asked about its own, and about the other by
// its name.
func TestAHeldHeapBesideOnesOwn(t *testing.T) {
	l := startLeaker(t, buildLeaker(t), "sealed", "0")
	file := memoryFileOf(t, l.pid)
	defer file.Close()
	newHeap(t, allocator.Options{Name: "my own"})
	rows, _ := psOf(t, os.Getpid())
	held := inspect.HeapRow{}
	for _, r := range rows {
		if r.Maker == l.pid {
			held = r
		}
	}
	require.Equal(t, inspect.HoldHeld, held.Hold)
	for _, name := range []string{"leaker", fmt.Sprintf("#%d", held.Number)} {
		other, err := target.Self(target.Options{Heap: name})
		require.NoError(t, err)
		require.Equal(t, "leaker", other.Description().Heap)
		require.NoError(t, other.Close())
	}
	_, err := target.Self(target.Options{Heap: "nobody's"})
	require.ErrorAs(t, err, new(*target.NoHeapError))
}
