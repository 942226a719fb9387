package target

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// stopLimit is how long the threads of a process may take to stop. A few hundred microseconds are usual; a thread that waits
// for a disk or a dead file server can take for ever.
const stopLimit = 2 * time.Second

// hold is a process that is held still. Its threads are traced (ptrace(2)) by one thread of ours, which does nothing else as
// long as it lasts. When that thread ends, in whatever way, the kernel lets everything go on that it still holds: so an error
// here ends it, and a checker that is killed leaves no stopped process behind.
type hold struct {
	proc    proc
	threads map[int]*tracee
	thread  int              // ours, that traces them
	release chan struct{}    // closed by the first Resume
	asked   chan chan []byte // for the registers of all threads: only our thread may read them
	ended   chan struct{}    // closed when there is nothing to do any more for our thread, but to end if it isn't clean
	clean   bool             // nothing is traced any more; constant when ended is closed
	resume  func()
	began   time.Time     // when the first thread was asked to stop
	stood   time.Duration // until the last was let go; constant when ended is closed
}

// tracee is one thread of the process.
type tracee struct {
	state  traceState
	signal int // that the thread was about to receive; it is handed on when the thread is let go
}

type traceState int

const (
	traceAsked   traceState = iota // was asked to stop
	traceStopped                   // stands still
	traceEnding                    // has ended, and the kernel has not told us yet
	traceGone                      // has ended
)

// hold stops every thread of the process.
func (p proc) hold(ctx context.Context) (*hold, error) {
	h := &hold{proc: p, threads: map[int]*tracee{}, release: make(chan struct{}), asked: make(chan chan []byte), ended: make(chan struct{})}
	h.resume = sync.OnceFunc(func() { close(h.release) })
	ready := make(chan error, 1)
	go h.onItsOwnThread(func() (clean bool) { return h.keep(ctx, ready) })
	if err := <-ready; err != nil {
		h.awaitEnd()
		return nil, err
	}
	return h, nil
}

// Resume lets the process go on: see Stopped.
func (h *hold) Resume() error {
	h.resume()
	h.awaitEnd()
	return nil
}

// Stood is measured by the thread that traces: see Stopped.
func (h *hold) Stood() time.Duration {
	<-h.ended
	return h.stood
}

// awaitEnd returns when nothing is traced any more.
func (h *hold) awaitEnd() {
	<-h.ended
	if h.clean {
		return
	}
	ours := proc{unix.Getpid(), "/proc/self"}.thread(h.thread)
	for began := time.Now(); time.Since(began) < stopLimit; time.Sleep(50 * time.Microsecond) {
		if _, err := ours.stat(); err != nil {
			return
		}
	}
}

// over says that the process goes on.
func (h *hold) over() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// onItsOwnThread runs trace on a thread that ends with it, unless trace left nothing behind.
func (h *hold) onItsOwnThread(trace func() (clean bool)) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The first thread of a Go program never ends. While it is kept here, another goroutine gets another thread.
		moved := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(moved)
			if trace() {
				runtime.UnlockOSThread()
			}
		}()
		<-moved
		runtime.UnlockOSThread()
		return
	}
	if trace() {
		runtime.UnlockOSThread()
	}
}

// keep stops the process, reports to ready, and keeps it until Resume.
func (h *hold) keep(ctx context.Context, ready chan<- error) (clean bool) {
	defer close(h.ended)
	h.thread = unix.Gettid()
	h.began = time.Now()
	err := h.stopAll(ctx)
	if errors.As(err, new(*PermissionError)) && len(h.threads) == 0 && h.proc.stoppedByOthers() {
		err = nil // a debugger has it: it stands still, and isn't ours to let go
	}
	ready <- err
	if err == nil {
		h.answer()
	}
	h.clean = h.letGo()
	h.stood = time.Since(h.began)
	return h.clean
}

// answer reads registers for whoever asks, until Resume.
func (h *hold) answer() {
	for {
		select {
		case <-h.release:
			return
		case asker := <-h.asked:
			var all []byte
			for _, tid := range slices.Sorted(maps.Keys(h.threads)) {
				if h.threads[tid].state == traceStopped {
					all = append(all, registers(tid)...)
				}
			}
			asker <- all
		}
	}
}

// registers are those of all threads, one after the other; nil when the process goes on, or is held by somebody else.
func (h *hold) registers() []byte {
	answer := make(chan []byte, 1)
	select {
	case h.asked <- answer:
		return <-answer
	case <-h.ended:
		return nil
	}
}

// stopAll stops every thread. Only a running thread makes new ones: when a listing that was taken after all known threads had
// stopped shows no other, there is none. But the kernel breaks a listing off, without a word, where a thread ends meanwhile:
// it is whole only if the kernel counts as many threads.
func (h *hold) stopAll(ctx context.Context) error {
	for started := time.Now(); ; {
		if err := ctx.Err(); err != nil || time.Since(started) > stopLimit {
			return &StopError{PID: h.proc.pid, Waited: time.Since(started), Because: cmp.Or(err, errRestless)}
		}
		tids, err := h.proc.threads()
		if err != nil {
			return h.explain(err)
		}
		fresh := false
		for _, tid := range tids {
			if h.threads[tid] != nil {
				continue
			}
			switch err := seize(tid); {
			case err == nil:
				h.threads[tid] = &tracee{}
				fresh = true
				if err := interrupt(tid); err != nil && !errors.Is(err, unix.ESRCH) {
					return h.explain(err)
				}
			case errors.Is(err, unix.ESRCH) || h.proc.threadEnded(tid):
				// The first thread, when it ends before the others, stays in the list and in the count.
				fresh = fresh || tid != h.proc.pid
			default:
				return h.explain(err)
			}
		}
		if !fresh {
			switch s, err := h.proc.stat(); {
			case err != nil:
				return h.explain(err)
			case s.threads == len(tids):
				return nil
			}
		}
		if err := h.awaitStops(ctx, started); err != nil {
			return err
		}
	}
}

var errRestless = errors.New("it makes threads faster than they can be stopped")

// awaitStops waits until every thread that was asked to stop has done so or ended.
func (h *hold) awaitStops(ctx context.Context, started time.Time) error {
	pause := unix.NsecToTimespec(int64(20 * time.Microsecond))
	for round := 1; ; round++ {
		missing := 0
		for tid, t := range h.threads {
			if t.state != traceAsked {
				continue
			}
			if err := t.poll(tid); err != nil {
				return h.explain(err)
			}
			if t.state == traceGone {
				delete(h.threads, tid) // its id may be given to another
			}
			// A first thread that ends before the others reports nothing until they have ended too.
			if t.state == traceAsked && round%64 == 0 && h.proc.threadEnded(tid) {
				t.state = traceEnding
			}
			if t.state == traceAsked {
				missing = tid
			}
		}
		if missing == 0 {
			return nil
		}
		waited := time.Since(started)
		if err := ctx.Err(); err != nil || waited > stopLimit {
			s, _ := h.proc.thread(missing).stat()
			return &StopError{PID: h.proc.pid, Thread: missing, State: s.state, Waited: waited, Because: err}
		}
		if round == 64 {
			pause = unix.NsecToTimespec(int64(time.Millisecond)) // it takes its time: so do we
		}
		_ = unix.Nanosleep(&pause, nil)
	}
}

// poll takes notice of a thread that has stopped.
func (t *tracee) poll(tid int) error {
	var status unix.WaitStatus
	got, err := unix.Wait4(tid, &status, unix.WALL|unix.WNOHANG|unix.WNOTHREAD, nil)
	switch {
	case errors.Is(err, unix.EINTR):
	case errors.Is(err, unix.ECHILD):
		t.state = traceGone
	case err != nil:
		return err
	case got == 0:
	case status.Stopped():
		t.state = traceStopped
		// A stop with an event is ours, or that of a whole process under SIGSTOP. One without is the arrival of a signal,
		// which stops the thread as well: Go's runtime sends itself many.
		if event := uint32(status) >> 16; event == 0 {
			t.signal = int(status.StopSignal())
		}
	default:
		t.state = traceGone
	}
	return nil
}

// letGo lets every stopped thread go on, with the signal that it was to receive. It reports whether nothing is traced any
// more; what is left, a thread that was killed meanwhile for example, is released by the end of our thread.
func (h *hold) letGo() (clean bool) {
	clean = true
	for tid, t := range h.threads {
		switch t.state {
		case traceStopped:
			clean = detach(tid, t.signal) == nil && clean
		case traceAsked, traceEnding:
			clean = false
		}
	}
	return clean
}

// threadEnded says that a thread is gone, or is only waiting to be buried.
func (p proc) threadEnded(tid int) bool {
	s, err := p.thread(tid).stat()
	return err != nil || s.state == "Z" || s.state == "X"
}

// stoppedByOthers says that every thread stands still: under SIGSTOP or in a debugger's hands.
func (p proc) stoppedByOthers() bool {
	tids, err := p.threads()
	if err != nil || len(tids) == 0 {
		return false
	}
	for _, tid := range tids {
		if s, err := p.thread(tid).stat(); err != nil || s.state != "T" && s.state != "t" && s.state != "Z" {
			return false
		}
	}
	return true
}

func (h *hold) explain(err error) error {
	err = h.proc.explain("stop", err)
	var refused *PermissionError
	switch {
	case errors.As(err, new(*NotFoundError)):
		return &NotFoundError{PID: h.proc.pid, Ended: true}
	case errors.As(err, &refused):
		// The kernel tells the tracer's thread.
		if tid, convErr := strconv.Atoi(h.proc.status("TracerPid")); convErr == nil && tid != 0 {
			refused.Tracer = tid
			if pid, convErr := strconv.Atoi(procOf(tid).status("Tgid")); convErr == nil {
				refused.Tracer = pid
			}
		}
		return refused
	}
	return &StopError{PID: h.proc.pid, Because: err}
}
