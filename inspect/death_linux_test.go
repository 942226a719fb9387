//go:build amd64 || arm64

package inspect_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// victimHeap is set in the process that is stepped through: where its heap's file is to be.
const victimHeap = "GLASSHEAP_TEST_VICTIM_HEAP"

// victimThorough, set by hand for TestDeathAtAnyInstruction, makes it take minutes: more rounds, more size classes, audit mode.
const victimThorough = "GLASSHEAP_TEST_THOROUGH"

// quickLooks is after how many looks at the heap it is enough when there is no time for all. How many instructions lie between
// them depends on how fast the machine steps: the runtime's scheduler goes by the clock.
const quickLooks = 400

// TestDeathAtAnyInstruction steps a program through everything that a heap does, one instruction at a time, and checks the
// heap's file after each that changed it, as it would lie there had the program been killed just then: nothing that an
// operation leaves behind half done may be called damage.
func TestDeathAtAnyInstruction(t *testing.T) {
	modes := []allocator.Mode{allocator.ModeSealed}
	if os.Getenv(victimThorough) != "" {
		modes = append(modes, allocator.ModeAudit)
	}
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) { stepThroughVictim(t, mode) })
	}
}

func stepThroughVictim(t *testing.T, mode allocator.Mode) {
	runtime.LockOSThread() // ptrace knows threads
	defer runtime.UnlockOSThread()
	path := filepath.Join(t.TempDir(), "heap")
	victim := exec.Command(os.Args[0], "-test.run=^TestDeathVictim$")
	victim.Env = append(os.Environ(), victimHeap+"="+path, allocator.Environment+"=scavenge=off,mode="+mode.String(), "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1", "GOGC=off")
	victim.Stderr = os.Stderr
	in, err := victim.StdinPipe()
	require.NoError(t, err)
	out, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	thread := victim.Process.Pid
	var status unix.WaitStatus
	defer func() {
		_ = victim.Process.Kill()
		// A thread that is traced, and isn't the first one, has to be waited for by who traces it: until then there is no end of the
		// process to wait for.
		for thread != victim.Process.Pid {
			if _, err := unix.Wait4(thread, &status, unix.WALL, nil); err == nil && !status.Stopped() || errors.Is(err, unix.ECHILD) {
				break
			}
		}
		_ = victim.Wait()
	}()
	line := make([]byte, 16)
	n, err := out.Read(line)
	require.NoError(t, err)
	thread, err = strconv.Atoi(strings.TrimSpace(string(line[:n])))
	require.NoError(t, err)

	wait := func() {
		for {
			_, err := unix.Wait4(thread, &status, unix.WALL, nil)
			if !errors.Is(err, unix.EINTR) {
				require.NoError(t, err)
				return
			}
		}
	}
	if err := unix.PtraceSeize(thread); err != nil {
		require.Empty(t, os.Getenv("CI"), "this process may not trace")
		t.Skipf("this process may not trace (a container needs CAP_SYS_PTRACE): %v", err)
	}
	require.NoError(t, unix.PtraceInterrupt(thread))
	wait()
	_, err = in.Write([]byte{1})
	require.NoError(t, err)

	file, err := target.OpenFile(path)
	require.NoError(t, err)
	defer file.Close()
	watched := watch(t, path, file, mode)
	steps, looks, unsettled := 0, 0, 0
	found := map[string]int{}
	for {
		if err := unix.PtraceSingleStep(thread); err != nil {
			break
		}
		wait()
		if status.Exited() || status.Signaled() {
			break
		}
		steps++
		if !watched.changed() {
			continue
		}
		if looks++; looks == quickLooks && os.Getenv(victimThorough) == "" {
			break // the rest takes its time
		}
		r, err := inspect.Check(context.Background(), file, inspect.CheckOptions{})
		require.NoError(t, err)
		for _, f := range r.Findings {
			if victimDamages(f) {
				continue
			}
			if found[f.Struct+f.Field]++; found[f.Struct+f.Field] == 1 {
				t.Errorf("step %d: %s %s %s: %s (found %s, expected %s: %s)", steps, f.Code, f.Struct, f.Field, f.Summary, f.Found, f.Expected, f.Why)
			}
		}
		if len(r.Unsettled) > 0 {
			unsettled++
		}
	}
	t.Logf("%d instructions, %d looks, %d of them with something unsettled", steps, looks, unsettled)
	require.GreaterOrEqual(t, looks, quickLooks)
}

// victimDamages tells the damage that the victim does on purpose, near its end.
func victimDamages(f inspect.Finding) bool {
	return f.Block != nil && (f.Code == inspect.CodeOverflow || f.Code == inspect.CodeWriteAfterFree && !strings.Contains(f.Summary, "after it was freed") || f.Summary == "1 byte written at +0 of a block after it was freed")
}

// watchedParts are the parts of a heap's file that the victim writes to, mapped, and as they were.
type watchedParts struct{ now, before [][]byte }

func watch(t *testing.T, path string, file target.Target, mode allocator.Mode) *watchedParts {
	var head layout.Header
	_, err := file.ReadAt(layout.Bytes(&head), 0)
	require.NoError(t, err)
	id := &head.Identity
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	// More than the file has now: it grows. What lies behind its end is not touched before.
	whole, err := unix.Mmap(int(f.Fd()), 0, int(id.Reserve), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_NORESERVE)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Munmap(whole) })
	w := &watchedParts{}
	parts := [][2]uint64{
		{id.Base, uint64(unsafe.Sizeof(head))}, {uint64(id.Bins), uint64(id.BinCount) * layout.BinBytes}, {uint64(id.Caches), layout.CacheBytes},
		{uint64(id.Arenas), layout.PageBytes}, {uint64(id.PageMap), 4 * layout.PageBytes}, {id.Descriptors, 8 * layout.PageBytes}, {id.Data, 16 * layout.PageBytes},
	}
	if mode == allocator.ModeAudit {
		parts[len(parts)-1][1] = layout.PageBytes // poisoning changes the rest word by word
		parts = append(parts, [2]uint64{uint64(id.Journals), 256}, [2]uint64{uint64(id.Stacks), 32}, [2]uint64{id.Records, layout.PageBytes},
			[2]uint64{uint64(id.Guards), layout.PageBytes})
	}
	for _, part := range parts {
		bytes := whole[part[0]-id.Base:][:part[1]]
		w.now, w.before = append(w.now, bytes), append(w.before, slices.Clone(bytes))
	}
	return w
}

// changed reports whether something is not as it was when it was asked last.
func (w *watchedParts) changed() (changed bool) {
	for i, now := range w.now {
		if !bytes.Equal(now, w.before[i]) {
			copy(w.before[i], now)
			changed = true
		}
	}
	return changed
}

// TestDeathVictim is the process that is stepped through.
func TestDeathVictim(t *testing.T) {
	path := os.Getenv(victimHeap)
	if path == "" {
		return // nobody steps through this process
	}
	debug.SetGCPercent(-1)
	runtime.LockOSThread()
	h, err := allocator.New(allocator.Options{Path: path, ReserveBytes: 64 << 20, RetainBytes: 3 << 20, QuarantineBytes: 1 << 10, OnViolation: func(*allocator.Violation) {}})
	require.NoError(t, err)
	b, err := h.Alloc(1 << 20) // so that every part of the file is there
	require.NoError(t, err)
	require.NoError(t, h.Free(b))
	os.Stdout.WriteString(strconv.Itoa(unix.Gettid()) + "\n")
	var go1 [1]byte
	_, _ = unix.Read(0, go1[:])
	if h.Mode() == allocator.ModeAudit {
		victimAuditedWork(h)
	} else {
		victimWork(h, os.Getenv(victimThorough) != "")
	}
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
}

// victimWork does with a heap whatever can be done, in as few instructions as it takes.
func victimWork(h *allocator.Heap, thorough bool) {
	rounds := 1
	if thorough {
		rounds = 3
	}
	var blocks [512][]byte
	alloc := func(n, size int) {
		for i := range n {
			blocks[i], _ = h.Alloc(size)
		}
	}
	free := func(n int) {
		for i := range n {
			_ = h.Free(blocks[i])
		}
	}
	// Small blocks: resized, moved, aligned.
	alloc(2, 20)
	blocks[0], _ = h.Realloc(blocks[0], 17)
	blocks[0], _ = h.Realloc(blocks[0], 24)
	blocks[0], _ = h.Realloc(blocks[0], 40)
	blocks[1], _ = h.Realloc(blocks[1], 11)
	free(2)
	if thorough {
		alloc(200, 24)
		free(200)
		alloc(130, 200)
		free(130)
	}
	// Large blocks: magazines that fill and run dry, slabs that become full and empty, are given back and made anew; when there
	// is time, the depot too.
	large := 6
	if thorough {
		large = 24
	}
	for range rounds {
		alloc(large, 20<<10)
		free(large)
	}
	h.Scavenge()
	// At the limit: what is idle is given back, then an allocation is refused.
	alloc(large, 20<<10)
	_ = h.SetLimit(160 << 10)
	free(large)
	blocks[0], _ = h.Alloc(100 << 10)
	_ = h.Free(blocks[0])
	blocks[0], _ = h.Alloc(200 << 10)
	_ = h.SetLimit(0)
	for range rounds {
		aligned, _ := h.AllocAligned(100, 64)
		aligned, _ = h.Realloc(aligned, 90)
		_ = h.Free(aligned)
	}
	// Spans, in an arena and huge.
	for range rounds {
		alloc(3, 50<<10)
		blocks[0], _ = h.Realloc(blocks[0], 51<<10)
		blocks[1], _ = h.Realloc(blocks[1], 60<<10)
		free(3)
		for range 2 { // the second time, of what was retained
			alloc(1, 1100<<10)
			free(1)
		}
	}
	h.Scavenge()
	// Blocks that are found damaged, and withdrawn.
	alloc(4, 24)
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(blocks[1])), 24)) = 0
	_ = h.Free(blocks[1])
	_ = h.Free(blocks[2])
	_ = h.Free(blocks[3])
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(blocks[3])), 24)) = 0
	alloc(2, 24)
	h.Scavenge()
}

// victimAuditedWork does what only an audited heap does.
func victimAuditedWork(h *allocator.Heap) {
	var blocks [128][]byte
	round := func(n, size int) {
		for i := range n {
			blocks[i], _ = h.Alloc(size)
		}
		for i := range n {
			_ = h.Free(blocks[i])
		}
	}
	round(40, 40) // more than are held back
	round(40, 40)
	blocks[0], _ = h.Alloc(20)
	blocks[0], _ = h.Realloc(blocks[0], 24)
	blocks[0], _ = h.Realloc(blocks[0], 60)
	_ = h.Free(blocks[0])
	_ = h.Free(blocks[0])
	blocks[0], _ = h.AllocAligned(40, 16)
	_ = h.Free(blocks[0])
	owner := allocator.NewOwner()
	for _, n := range []int{40, 33 << 10} {
		blocks[0], _ = h.AllocFor(owner, n)
		_ = h.Free(blocks[0])
	}
	// The mode changes, with blocks held back and live.
	blocks[100], _ = h.Alloc(40)
	_ = h.SetMode(allocator.ModeSealed)
	round(70, 40)
	_ = h.Free(blocks[100])
	blocks[100], _ = h.Alloc(40)
	_ = h.SetMode(allocator.ModeAudit)
	_ = h.Free(blocks[100])
	// Guarded blocks.
	_ = h.SetGuardRate(2)
	round(6, 24)
	for i := range 2 {
		blocks[i], _ = h.AllocFor(owner, 24)
	}
	_, _ = h.Free(blocks[0]), h.Free(blocks[1])
	_ = h.SetGuardRate(0)
	// Spans, held back one at a time.
	for range 2 {
		blocks[0], _ = h.Alloc(33 << 10)
		_ = h.Free(blocks[0])
	}
	// Poison that is written over, found on the way out.
	blocks[0], _ = h.Alloc(40)
	_ = h.Free(blocks[0])
	*unsafe.SliceData(blocks[0]) = 1
	round(30, 40)
	h.Scavenge()
}
