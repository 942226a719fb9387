package target

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func stop(t testing.TB, from Target) Stopped {
	t.Helper()
	held, err := from.(Stopper).Stop(t.Context())
	require.NoError(t, err)
	return held
}

// busyOwner starts a process whose threads count.
func busyOwner(t testing.TB, o orders) (pid int, from Target, count func() []uint64) {
	o.Heaps, o.Busy = []heapOrder{orderOf(t, "busy", "memfd")}, max(o.Busy, 3)
	c, r := startOwner(t, o)
	from = openHeap(t, c.Process.Pid, "")
	return c.Process.Pid, from, func() []uint64 { return counters(t, from, r.Heaps[0].Base, r.Counters) }
}

// requireProgress waits until every counter has moved.
func requireProgress(t testing.TB, count func() []uint64) {
	t.Helper()
	before := count()
	eventually(t, "every thread counts on", func() bool {
		for i, n := range count() {
			if n == before[i] {
				return false
			}
		}
		return true
	})
}

// requireFrozen looks so long that a running process would have counted.
func requireFrozen(t testing.TB, count func() []uint64) {
	t.Helper()
	before := count()
	for range 30 {
		require.Equal(t, before, count())
	}
}

func TestStop(t *testing.T) {
	pid, from, count := busyOwner(t, orders{})
	requireProgress(t, count)
	took := make([]time.Duration, 0, 200)
	for range 200 {
		began := time.Now()
		held := stop(t, from)
		took = append(took, time.Since(began))
		requireFrozen(t, count)
		require.NoError(t, held.Resume())
		requireProgress(t, count)
		require.NoError(t, held.Resume(), "a second time")
	}
	slices.Sort(took)
	t.Logf("median %v, worst %v", took[100], took[199])
	require.True(t, untraced(pid))
}

// TestFirstThread starts from the one thread of a Go program that can't end: another one is taken, and that one ends.
func TestFirstThread(t *testing.T) {
	require.Equal(t, os.Getpid(), firstThread.asked)
	require.NotEqual(t, os.Getpid(), firstThread.traced)
	eventually(t, "the thread has ended", func() bool {
		_, err := proc{os.Getpid(), "/proc/self"}.thread(firstThread.traced).stat()
		return err != nil
	})
}

// firstThread is what happened before the tests, when it was known which thread runs.
var firstThread struct{ asked, traced int }

func init() { runtime.LockOSThread() } // the goroutine that calls TestMain keeps the first thread

func traceFromFirstThread() {
	firstThread.asked = syscall.Gettid()
	traced := make(chan int, 1)
	(&hold{}).onItsOwnThread(func() (clean bool) {
		traced <- syscall.Gettid()
		return false
	})
	firstThread.traced = <-traced
	runtime.UnlockOSThread()
}

func TestStopManyThreads(t *testing.T) {
	pid, from, count := busyOwner(t, orders{Busy: 40})
	for range 10 {
		held := stop(t, from)
		require.True(t, everyThread(procOf(pid), "t"))
		requireFrozen(t, count)
		require.NoError(t, held.Resume())
	}
	requireProgress(t, count)
}

// TestStopWhileThreadsAreBorn stops a process whose threads come and go.
func TestStopWhileThreadsAreBorn(t *testing.T) {
	pid, from, count := busyOwner(t, orders{Births: 4})
	for range 200 {
		held := stop(t, from)
		require.True(t, everyThread(procOf(pid), "t", "Z", "X"))
		requireFrozen(t, count)
		require.NoError(t, held.Resume())
	}
	requireProgress(t, count)
}

// TestSignalsArrive sends a signal just before each stop, then one that arrives at a thread in our hands: none may get lost.
func TestSignalsArrive(t *testing.T) {
	c, r := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "signals", "memfd")}, Busy: 2, Signals: true})
	pid := c.Process.Pid
	from := openHeap(t, pid, "")
	received := func() uint64 { return counters(t, from, r.Heaps[0].Base, []uint64{r.Signals})[0] }
	for i := range uint64(100) {
		require.NoError(t, syscall.Kill(pid, syscall.SIGUSR1))
		require.NoError(t, stop(t, from).Resume())
		eventually(t, "the signal has arrived", func() bool { return received() == i+1 })
	}

	thread := &tracee{}
	h := &hold{proc: procOf(pid), threads: map[int]*tracee{pid: thread}}
	done := make(chan error)
	go h.onItsOwnThread(func() (clean bool) {
		err := seize(pid)
		if err == nil {
			err = unix.Tgkill(pid, pid, unix.SIGUSR1)
		}
		for err == nil && thread.state == traceAsked {
			err = thread.poll(pid)
		}
		clean = h.letGo()
		done <- err
		return clean
	})
	require.NoError(t, <-done)
	require.Equal(t, int(syscall.SIGUSR1), thread.signal)
	eventually(t, "the signal has arrived", func() bool { return received() == 101 })
}

// TestStoppedBefore stops a process that SIGSTOP has stopped: it stays so.
func TestStoppedBefore(t *testing.T) {
	pid, from, count := busyOwner(t, orders{})
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	eventually(t, "it has stopped", func() bool { return everyThread(procOf(pid), "T") })
	for range 20 {
		held := stop(t, from)
		require.True(t, everyThread(procOf(pid), "t"))
		requireFrozen(t, count)
		require.NoError(t, held.Resume())
		eventually(t, "it is as it was", func() bool { return everyThread(procOf(pid), "T") })
		requireFrozen(t, count)
	}
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	requireProgress(t, count)
}

// TestContinuedMeanwhile sends SIGCONT during the stop: it counts after it.
func TestContinuedMeanwhile(t *testing.T) {
	pid, from, count := busyOwner(t, orders{})
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	eventually(t, "it has stopped", func() bool { return everyThread(procOf(pid), "T") })
	held := stop(t, from)
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	requireFrozen(t, count)
	require.NoError(t, held.Resume())
	requireProgress(t, count)
}

// TestHeldByAnother stops a process that another checker holds.
func TestHeldByAnother(t *testing.T) {
	pid, first, count := busyOwner(t, orders{})
	second := openHeap(t, pid, "")
	held := stop(t, first)
	_, err := first.(Stopper).Stop(t.Context())
	require.ErrorIs(t, err, errHeldAlready)
	require.NoError(t, stop(t, second).Resume())
	require.True(t, everyThread(procOf(pid), "t"))
	requireFrozen(t, count)
	require.NoError(t, held.Resume())
	requireProgress(t, count)
	require.NoError(t, stop(t, second).Resume())
}

// TestRefused traces a thread without stopping it, as a debugger does with a program that runs.
func TestRefused(t *testing.T) {
	pid, from, count := busyOwner(t, orders{})
	release := make(chan struct{})
	seized := make(chan error)
	go (&hold{}).onItsOwnThread(func() (clean bool) {
		seized <- seize(pid)
		<-release
		return false
	})
	require.NoError(t, <-seized)
	_, err := from.(Stopper).Stop(t.Context())
	var refused *PermissionError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, os.Getpid(), refused.Tracer)
	require.ErrorContains(t, err, "cannot stop process")
	requireProgress(t, count)
	close(release)
	eventually(t, "nothing traces it", func() bool { return untraced(pid) })
	require.NoError(t, stop(t, from).Resume())
	requireProgress(t, count)
}

func TestStopCancelled(t *testing.T) {
	_, from, count := busyOwner(t, orders{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := from.(Stopper).Stop(ctx)
	require.ErrorIs(t, err, context.Canceled)
	requireProgress(t, count)
}

// TestStuckThread has a thread that can't stop: the others go on when the time is over.
func TestStuckThread(t *testing.T) {
	pid, from, count := busyOwner(t, orders{Stuck: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := from.(Stopper).Stop(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.True(t, untraced(pid))
	requireProgress(t, count)

	began := time.Now()
	_, err = from.(Stopper).Stop(t.Context())
	var late *StopError
	require.ErrorAs(t, err, &late)
	require.Equal(t, "D", late.State)
	require.Less(t, time.Since(began), stopLimit+time.Second)
	requireProgress(t, count)
	require.True(t, untraced(pid))
}

// untraced says that no thread of a process is traced.
func untraced(pid int) bool {
	tids, err := procOf(pid).threads()
	for _, tid := range tids {
		if tracer := procOf(pid).thread(tid).status("TracerPid"); tracer != "0" && tracer != "" {
			return false
		}
	}
	return err == nil
}

// TestKilledDuringStop kills a process that is held, and buries it: nothing of it may stay in our hands.
func TestKilledDuringStop(t *testing.T) {
	c, _ := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "killed", "memfd")}, Busy: 3})
	from := openHeap(t, c.Process.Pid, "")
	held := stop(t, from)
	require.NoError(t, c.Process.Kill())
	require.NoError(t, held.Resume())
	c.end() // would wait for ever
	_, err := from.(Stopper).Stop(t.Context())
	require.ErrorAs(t, err, new(*NotFoundError))
}

// TestCloseResumes closes a target whose process is held.
func TestCloseResumes(t *testing.T) {
	pid, watch, count := busyOwner(t, orders{})
	from, err := OpenProcess(pid, Options{})
	require.NoError(t, err)
	held := stop(t, from)
	requireFrozen(t, count)
	require.NoError(t, from.Close())
	requireProgress(t, count)
	require.NoError(t, held.Resume())
	require.NotNil(t, watch)
}

// TestCheckerKilled kills the process that holds another: that one goes on.
func TestCheckerKilled(t *testing.T) {
	text, err := json.Marshal(orders{Heaps: []heapOrder{orderOf(t, "orphan", "memfd")}, Busy: 3})
	require.NoError(t, err)
	killer := start(t, "killer", string(text), nil)
	var pid int
	var r report
	killer.hear(t, &pid)
	killer.hear(t, &r)
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	from := openHeap(t, pid, "")
	count := func() []uint64 { return counters(t, from, r.Heaps[0].Base, r.Counters) }
	require.True(t, everyThread(procOf(pid), "t"))
	requireFrozen(t, count)
	require.NoError(t, killer.Process.Kill())
	requireProgress(t, count)
	require.NoError(t, stop(t, from).Resume())
}
