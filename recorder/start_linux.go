package recorder

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect/symbols"
)

// Recorder is a recorder that was started: a second process waits for this one to die.
type Recorder struct {
	options Options
	child   *exec.Cmd
	unwatch func()

	lock    sync.Mutex
	socket  int   // to the child; -1: closed
	lost    error // why the child does not know everything
	stopped bool
}

// started is whether a recorder is: there is one crash output to a program, and one is enough.
var started atomic.Bool

const (
	// childName is argument 0 of the second process.
	childName = "glassheap-recorder"
	// childVariable tells an executable to be one. It is set for that process only.
	childVariable = "GLASSHEAP_RECORDER_CHILD"

	// The descriptors of the second process.
	fdSocket, fdCrash, fdStderr, fdPidfd = 3, 4, 5, 6

	// mostCrashBytes is how much of a crash's text is kept.
	mostCrashBytes = 4 << 20

	readyTimeout = 15 * time.Second // for the second process to start: the machine may be busy, the race detector slow
	sendTimeout  = time.Second      // for it to take a message
	stopTimeout  = 10 * time.Second // for it to end
)

// Start starts the recorder. It returns when the second process is ready. The error says why there can be none: the program
// can go on without.
func Start(o Options) (*Recorder, error) {
	if o.Off {
		return &Recorder{options: o, socket: -1, stopped: true}, nil
	}
	own := o.Directory == ""
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if os.Getpid() == 1 {
		return nil, errors.New("glassheap: no recorder: this is the first process of a container, and when it ends the kernel ends every other one there: run it under an init (docker run --init)")
	}
	if started.Swap(true) {
		return nil, errors.New("glassheap: a recorder is running already")
	}
	r := &Recorder{options: o, socket: -1}
	if err := r.start(own); err != nil {
		r.abandon()
		started.Store(false)
		return nil, fmt.Errorf("glassheap: no recorder: %w", err)
	}
	r.unwatch = allocator.Watch(r.made, r.closed)
	return r, nil
}

func (r *Recorder) start(own bool) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socketpair: %w", err)
	}
	r.socket = pair[0]
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	defer theirs.Close()
	crash, err := crashFile()
	if err != nil {
		return err
	}
	defer crash.Close() // debug.SetCrashOutput keeps a descriptor of its own
	nothing, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer nothing.Close()
	o := orders{
		PID: os.Getpid(), Program: programName(), Directory: r.options.Directory, Own: own, SnapshotBytes: r.options.SnapshotBytes,
		TimeLimit: int64(r.options.TimeLimit), Keep: r.options.Keep, Silent: r.options.Silent,
	}
	if origin, err := symbols.OriginOf(o.PID); err == nil { // else stacks are addresses
		o.BuildID, o.Entry = origin.BuildID, origin.Entry
	}
	stderr, pidfd := os.Stderr, nothing
	if _, err := os.Stderr.Stat(); err != nil || o.Silent {
		stderr = nothing // the program may have closed it
	}
	if fd, err := unix.PidfdOpen(o.PID, 0); err == nil {
		pidfd = os.NewFile(uintptr(fd), "pidfd")
		defer pidfd.Close()
		o.HasPidfd = true
	}
	r.child = command()
	r.child.ExtraFiles = []*os.File{theirs, crash, stderr, pidfd}
	if err := r.child.Start(); err != nil {
		r.child = nil
		return fmt.Errorf("the second process can't be started: %w", err)
	}
	theirs.Close() // so that its end is seen here
	for _, option := range []int{unix.SO_SNDTIMEO, unix.SO_RCVTIMEO} {
		limit := sendTimeout
		if option == unix.SO_RCVTIMEO {
			limit = readyTimeout
		}
		timeout := unix.NsecToTimeval(int64(limit))
		if err := unix.SetsockoptTimeval(r.socket, unix.SOL_SOCKET, option, &timeout); err != nil {
			return err
		}
	}
	if err := send(r.socket, 0, message{Kind: kindStart, Start: &o}, nil); err != nil {
		return fmt.Errorf("the second process takes no orders: %w", err)
	}
	switch answer, _, err := receive(r.socket, 0); {
	case errors.Is(err, unix.EAGAIN):
		return fmt.Errorf("the second process was not ready after %v", readyTimeout)
	case err != nil:
		return fmt.Errorf("the second process did not become a recorder (is this program a Go executable?): %w", err)
	case answer.Kind != kindReady:
		return fmt.Errorf("the second process answered %q", answer.Kind)
	}
	if !r.options.KeepCrashOutput {
		if err := debug.SetCrashOutput(crash, debug.CrashOptions{}); err != nil {
			return fmt.Errorf("the text of a crash can't be kept: %w", err)
		}
	}
	return nil
}

// command is how the second process is started.
func command() *exec.Cmd {
	c := &exec.Cmd{Path: "/proc/self/exe", Args: []string{childName}, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	if _, err := os.Stat(c.Path); err != nil {
		if path, err := os.Executable(); err == nil {
			c.Path = path
		}
	}
	// The program's settings of its runtime are not for a process that mostly sleeps.
	c.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GOTRACEBACK", "GODEBUG", "GOCOVERDIR"}, name)
	}), childVariable+"=1", "GOGC=50", "GOMEMLIMIT=64MiB", "GOMAXPROCS=2")
	return c
}

// crashFile is where the runtime writes the text of a crash: a file in memory that both processes hold. So the program never
// waits for the other one when it dies, and what it had written when it was killed is there. It can't grow without bounds:
// its size is fixed. How much was written the file's position tells, which both share.
func crashFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("glassheap-crash", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	file := os.NewFile(uintptr(fd), "glassheap-crash")
	if err := file.Truncate(mostCrashBytes); err != nil {
		file.Close()
		return nil, err
	}
	if _, err := unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func programName() string {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return filepath.Base(path)
}

// made tells the child of a heap. The allocator calls it.
func (r *Recorder) made(h *allocator.Heap) {
	if r.options.Heaps != nil && !slices.Contains(r.options.Heaps, h) {
		return
	}
	base, _ := h.Range()
	file, err := h.File()
	if err == nil {
		defer file.Close()
	} else if !errors.Is(err, errors.ErrUnsupported) {
		r.lose(err)
	}
	r.tell(message{Kind: kindHeap, Name: h.Name(), Base: base}, file)
}

// closed tells the child to let go of a heap, whose memory would stay otherwise.
func (r *Recorder) closed(h *allocator.Heap) {
	base, _ := h.Range()
	r.tell(message{Kind: kindClosed, Name: h.Name(), Base: base}, nil)
}

func (r *Recorder) tell(m message, file *os.File) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.socket < 0 {
		return
	}
	flags := 0
	if r.lost != nil {
		flags = unix.MSG_DONTWAIT // it stands still: every New would wait for it
	}
	err := send(r.socket, flags, m, file)
	if err == nil {
		return
	}
	r.lost = errors.Join(r.lost, fmt.Errorf("glassheap: the recorder does not know of heap %q (%s): %w", m.Name, m.Kind, err))
	if !errors.Is(err, unix.EAGAIN) {
		r.abandonLocked() // it has died: there is nothing to wait for
	}
}

func (r *Recorder) lose(err error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.lost = errors.Join(r.lost, err)
}

// Stop stops the recorder: the second process ends, and is waited for. What is written into heaps afterwards is recorded by
// nobody. The error says what the recorder had missed. Further calls do nothing.
func (r *Recorder) Stop() error {
	if r == nil {
		return nil
	}
	r.lock.Lock()
	if r.stopped {
		r.lock.Unlock()
		return nil
	}
	r.stopped = true
	r.lock.Unlock()
	r.unwatch() // waits for a heap that is being made
	if !r.options.KeepCrashOutput {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.socket >= 0 {
		if err := send(r.socket, 0, message{Kind: kindGoodbye}, nil); err != nil {
			r.loseEarly(err)
			if r.child != nil {
				_ = r.child.Process.Kill() // it must not take the end of this process for a death
			}
		}
		unix.Close(r.socket)
		r.socket = -1
	}
	if err := r.wait(); err != nil {
		r.loseEarly(err) // it was dying when it was told: the socket goes last
	}
	started.Store(false)
	return r.lost
}

// loseEarly notes, once, that the child ended before it was told to.
func (r *Recorder) loseEarly(why error) {
	if !errors.Is(r.lost, errGoneEarly) {
		r.lost = errors.Join(r.lost, fmt.Errorf("%w: %w", errGoneEarly, why))
	}
}

var errGoneEarly = errors.New("glassheap: the recorder was gone before it was stopped")

// abandon ends a child that is of no use.
func (r *Recorder) abandon() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.abandonLocked()
}

func (r *Recorder) abandonLocked() {
	if r.child != nil {
		_ = r.child.Process.Kill()
	}
	if r.socket >= 0 {
		unix.Close(r.socket)
		r.socket = -1
	}
	_ = r.wait() // by the signal that was sent
}

// wait waits for the child's end, so that no zombie is left, and hastens it if need be. The error says that a signal ended it,
// which nobody here had sent.
func (r *Recorder) wait() error {
	if r.child == nil {
		return nil
	}
	child := r.child
	late := time.AfterFunc(stopTimeout, func() { _ = child.Process.Kill() })
	err := child.Wait()
	r.child = nil
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !late.Stop() || !ok || !status.Signaled() {
		return nil
	}
	return err
}
