package main

import (
	"context"
	"flag"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// watched is a replay that runs on and on in a process of its own, and its heap, looked at from this one. The process is this
// one's child and is stopped by it for moments: nobody waits for its end before it has been told to end, for the wait would
// take the stop for an exit.
type watched struct {
	*spawned
	heap target.Target
}

// watch starts a replay and opens its heap. The process is killed when the test ends.
func watch(t *testing.T, input io.Reader, args ...string) *watched {
	t.Helper()
	s, err := launch(input, "glassheap", append([]string{"replay", "--no-check", "--goroutines", "2"}, args...)...)
	require.NoError(t, err)
	w := &watched{spawned: s}
	t.Cleanup(w.killed)
	soon(t, "the replay has a heap", func() bool {
		if w.heap, err = target.OpenProcess(s.Process.Pid, target.Options{}); err != nil {
			return false
		}
		if w.heap.Base() == 0 { // its header is not written yet
			w.heap.Close()
			return false
		}
		return true
	})
	t.Cleanup(func() { w.heap.Close() })
	soon(t, "the replay uses its heap", func() bool {
		_, err := inspect.Open(context.Background(), w.heap)
		return err == nil && w.frees(t) > 1000 // an error: the header is being written
	})
	return w
}

// killed ends the process, if nobody has done so.
func (w *watched) killed() {
	if w.ProcessState == nil {
		_ = w.Process.Kill()
		w.reap()
	}
}

// soon waits for something that is bound to happen.
func soon(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !happened(); time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(late), "in %v it was not so: %s", patience, what)
	}
}

// frees is how many blocks the replay has freed so far: it goes on when that grows.
func (w *watched) frees(t *testing.T) uint64 {
	t.Helper()
	h, err := inspect.Open(context.Background(), w.heap)
	require.NoError(t, err)
	stats, err := h.Stats(context.Background())
	require.NoError(t, err)
	return stats.Frees
}

// requireGoesOn requires that the replay frees further blocks.
func (w *watched) requireGoesOn(t *testing.T) {
	t.Helper()
	before := w.frees(t)
	soon(t, "the replay goes on", func() bool { return w.frees(t) > before })
}

// check checks the heap.
func (w *watched) check(t *testing.T) *inspect.CheckReport {
	t.Helper()
	r, err := inspect.Check(context.Background(), w.heap, inspect.CheckOptions{})
	require.NoError(t, err)
	return r
}

// requireHealthy checks the heap this many times: there is never anything wrong.
func (w *watched) requireHealthy(t *testing.T, checks int) {
	t.Helper()
	stops, unsettled, blocks, longest := 0, 0, uint64(0), time.Duration(0)
	for i := range checks {
		r := w.check(t)
		require.Empty(t, r.Findings, "check %d", i)
		stops, unsettled, blocks, longest = stops+r.Stops, unsettled+len(r.Unsettled), blocks+r.Blocks, max(longest, r.Stopped)
	}
	t.Logf("%d checks of %d seals on average, %d stops, the longest %v, %d things unsettled", checks, blocks/uint64(checks), stops, longest, unsettled)
}

var checks = flag.Int("checks", 60, "how often a process is checked at random moments, and while damage is planted in it")

// TestChecksOfARunningProcess: whatever the moment, a healthy heap in full use is found healthy.
func TestChecksOfARunningProcess(t *testing.T) {
	for _, mode := range []string{"sealed", "audit"} {
		t.Run(mode, func(t *testing.T) {
			w := watch(t, nil, "--repeat", "-1", "--mode", mode, recordingFile(t, 100_000))
			w.requireHealthy(t, *checks/2)
			w.requireGoesOn(t)
		})
	}
}

// TestDamageAtRandomMoments: bytes of seals are changed from outside while the process is checked. Each check finds all that
// were changed so far, and nothing else.
func TestDamageAtRandomMoments(t *testing.T) {
	const kept, size = 50, 7777
	w := watch(t, newStream(kept, size), "-")
	whole := w.blocksOf(t, size)
	require.Len(t, whole, kept)
	// Behind some of them lies a block that comes and goes. Its free would tell of a damaged seal before it, and end the replay.
	stays := map[inspect.Address]bool{}
	for _, b := range whole {
		stays[b.Address] = true
	}
	whole = slices.DeleteFunc(whole, func(b *inspect.Block) bool { return !stays[b.Address+inspect.Address(b.Size+layout.SealBytes)] })
	require.Greater(t, len(whole), kept/2)
	random := rand.New(rand.NewSource(time.Now().UnixNano()))
	var damaged []inspect.Address
	for i := range *checks {
		if len(whole) > 0 && random.Intn(*checks) < 2*kept {
			n := random.Intn(len(whole))
			b := whole[n]
			whole = slices.Delete(whole, n, n+1)
			w.flip(t, b.Address+inspect.Address(b.Requested+random.Intn(b.Size+8-b.Requested)), 1<<random.Intn(8))
			damaged = append(damaged, b.Address)
		}
		var found []inspect.Address
		for _, f := range w.check(t).Findings {
			require.Equal(t, inspect.CodeOverflow, f.Code)
			found = append(found, f.Address)
		}
		require.ElementsMatch(t, damaged, found, "check %d", i)
	}
	require.NotEmpty(t, damaged)
	t.Logf("%d checks, %d blocks damaged", *checks, len(damaged))
}

// TestChecksOfAStoppedProcess: a process that SIGSTOP has stopped, wherever it was, is healthy too. It stays stopped, and goes
// on when it is continued.
func TestChecksOfAStoppedProcess(t *testing.T) {
	w := watch(t, nil, "--repeat", "-1", recordingFile(t, 100_000))
	for range 10 {
		require.NoError(t, w.Process.Signal(syscall.SIGSTOP))
		soon(t, "every thread has stopped", func() bool { return w.everyThread(t, "T") })
		frees := w.frees(t)
		w.requireHealthy(t, 50)
		require.Equal(t, frees, w.frees(t))
		soon(t, "every thread is as it was", func() bool { return w.everyThread(t, "T") }) // a thread that is let go takes a moment to stop again
		require.NoError(t, w.Process.Signal(syscall.SIGCONT))
		w.requireGoesOn(t)
	}
}

// TestChecksInEveryWayOfStopping: however far the process may be held still, what was planted is found, nothing else is, and it
// goes on.
func TestChecksInEveryWayOfStopping(t *testing.T) {
	const kept, size = 50, 7777
	w := watch(t, newStream(kept, size), "-")
	for _, how := range target.Stoppings {
		w.through(t, target.Options{Stop: how}, func(w *watched) { w.requireHealthy(t, 20) })
	}
	b := w.blockOf(t, size)
	w.flip(t, b.Address+inspect.Address(b.Size), 0x40)
	for _, how := range target.Stoppings {
		for range 10 {
			w.through(t, target.Options{Stop: how}, func(w *watched) {
				r := w.check(t)
				require.Len(t, r.Findings, 1, how)
				require.Equal(t, b.Address, r.Findings[0].Address, how)
				require.Equal(t, how == target.StopNever, r.Stops == 0, how)
			})
		}
		w.requireGoesOn(t)
	}
	out, err := exec.Command("glassheap", "snapshot", "--stop", "never", strconv.Itoa(w.Process.Pid), filepath.Join(t.TempDir(), "x")).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "was not to be stopped")
}

// through looks at the same process with other options.
func (w *watched) through(t *testing.T, o target.Options, look func(*watched)) {
	t.Helper()
	heap, err := target.OpenProcess(w.Process.Pid, o)
	require.NoError(t, err)
	defer heap.Close()
	look(&watched{spawned: w.spawned, heap: heap})
}

// everyThread reports whether each thread of the process is in a state, as /proc names it.
func (w *watched) everyThread(t *testing.T, state string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/" + strconv.Itoa(w.Process.Pid) + "/task/*/stat")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // behind the program's name
		if !strings.HasPrefix(rest, state+" ") {
			return false
		}
	}
	return true
}

// TestPlantedDamage: a byte of a seal in a running process is changed from outside. Each check from then on finds it, and
// nothing else; and so does the heap itself, when the block is freed.
func TestPlantedDamage(t *testing.T) {
	const kept, size = 50, 7777
	recording := newStream(kept, size)
	w := watch(t, recording, "-")
	w.requireHealthy(t, 20)
	b := w.blockOf(t, size)
	w.flip(t, b.Address+inspect.Address(b.Size), 0x40)
	for i := range 50 {
		r := w.check(t)
		require.Len(t, r.Findings, 1, "check %d", i)
		require.Equal(t, inspect.CodeOverflow, r.Findings[0].Code)
		require.Equal(t, b.Address, r.Findings[0].Address)
	}
	out, err := exec.Command("glassheap", "check", strconv.Itoa(w.Process.Pid)).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), b.Address.String())
	w.requireGoesOn(t)

	recording.over.Store(true)
	w.reap()
	require.Equal(t, 2, w.ProcessState.ExitCode())
	text, _ := w.text()
	require.Regexp(t, regexp.MustCompile(`(?m)^glassheap: -: line \d+: free of block .*, 7777 bytes: .*overflow`), text)
}

// blockOf finds a live block for which size bytes were asked.
func (w *watched) blockOf(t *testing.T, size int) *inspect.Block {
	t.Helper()
	blocks := w.blocksOf(t, size)
	require.NotEmpty(t, blocks)
	return blocks[0]
}

// blocksOf finds the live blocks for which size bytes were asked.
func (w *watched) blocksOf(t *testing.T, size int) (found []*inspect.Block) {
	t.Helper()
	h, err := inspect.Open(context.Background(), w.heap)
	require.NoError(t, err)
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	for _, s := range slabs.Slabs {
		if int(s.Size) < size {
			continue
		}
		blocks, err := h.Blocks(uint64(s.Base))
		require.NoError(t, err)
		for _, b := range blocks.Blocks {
			if b.Place == inspect.PlaceLive && b.Requested == size {
				found = append(found, b)
			}
		}
	}
	return found
}

// flip flips bits of a byte in the heap's memory file, which the process holds open.
func (w *watched) flip(t *testing.T, address inspect.Address, bits byte) {
	t.Helper()
	links, err := filepath.Glob("/proc/" + strconv.Itoa(w.Process.Pid) + "/fd/*")
	require.NoError(t, err)
	for _, link := range links {
		if name, _ := os.Readlink(link); !strings.HasPrefix(name, "/memfd:glassheap:") {
			continue
		}
		file, err := os.OpenFile(link, os.O_RDWR, 0)
		require.NoError(t, err)
		defer file.Close()
		b := make([]byte, 1)
		at := int64(uint64(address) - w.heap.Base())
		_, err = file.ReadAt(b, at)
		require.NoError(t, err)
		b[0] ^= bits
		_, err = file.WriteAt(b, at)
		require.NoError(t, err)
		return
	}
	require.Fail(t, "the process holds no memory file")
}

// TestKilledCheckers: whenever a glassheap that looks is killed, the process that it was looking at goes on, and is healthy.
// Half of them are killed at any moment, the others while they hold the process still.
func TestKilledCheckers(t *testing.T) {
	w := watch(t, nil, "--repeat", "-1", recordingFile(t, 100_000))
	pid := strconv.Itoa(w.Process.Pid)
	start := func(args ...string) *spawned {
		c, err := launch(nil, "glassheap", args...)
		require.NoError(t, err)
		go c.reap()
		return c
	}
	began := time.Now()
	require.NoError(t, start("check", pid).end())
	usual := time.Since(began)
	moments := rand.New(rand.NewSource(began.UnixNano()))
	for range max(5, *checks/60) {
		c := start("check", pid)
		select {
		case <-time.After(time.Duration(moments.Int63n(int64(usual)))):
		case <-c.ended: // it was quicker
		}
		w.requireUnharmed(t, c)

		// A snapshot holds the process for longer than a check does.
		file := filepath.Join(t.TempDir(), "killed.snapshot")
		c = start("snapshot", pid, file)
		soon(t, "it holds the process", func() bool {
			select {
			case <-c.ended: // somebody looked away for too long: once more
				c = start("snapshot", pid, file)
			default:
			}
			for range 1000 {
				if w.held(t) {
					return true
				}
			}
			return false
		})
		w.requireUnharmed(t, c)
	}
	w.requireHealthy(t, 20)
}

// requireUnharmed kills a glassheap that looks at the process. The process goes on.
func (w *watched) requireUnharmed(t *testing.T, c *spawned) {
	t.Helper()
	c.kill()
	soon(t, "nobody holds the process", func() bool { return !w.held(t) })
	w.requireGoesOn(t)
}

// held reports whether somebody traces the process's main thread.
func (w *watched) held(t *testing.T) bool {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(w.Process.Pid) + "/status")
	require.NoError(t, err)
	return !strings.Contains(string(status), "\nTracerPid:\t0\n")
}
