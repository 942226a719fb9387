package recorder

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/inspect"
)

// init makes this process the second one of a recorder, if that is what it was started for. It never returns then.
func init() {
	if Recording() {
		os.Exit(runChild())
	}
}

// Recording reports whether this process is the second one of a recorder. Only init functions ever see that it is: those of
// packages that are initialised before this one.
func Recording() bool {
	if len(os.Args) != 1 || os.Args[0] != childName || os.Getenv(childVariable) == "" {
		return false
	}
	// Somebody may have the variable set for other reasons; nobody else passes such a socket.
	kind, err := unix.GetsockoptInt(fdSocket, unix.SOL_SOCKET, unix.SO_TYPE)
	return err == nil && kind == unix.SOCK_SEQPACKET
}

// child is the second process.
type child struct {
	orders
	started   time.Time
	functions *inspect.Program // of the program; nil: no heap was looked at yet
	heaps     []keptHeap       // in the order in which they were made
	goodbye   bool
	ooms      oomCounts // before the program died
	sampled   time.Time // when those were counted
}

// keptHeap is a heap of the program.
type keptHeap struct {
	name string
	base uint64
	file *os.File // nil: it is in anonymous memory
}

func runChild() (status int) {
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGPIPE, unix.SIGTSTP, unix.SIGUSR1, unix.SIGUSR2)
	closeInherited()
	lowerPriority()
	// /proc/self/exe would be called "exe" in every list of processes.
	name, _ := unix.BytePtrFromString(childName[:15])
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0)

	m, _, err := receive(fdSocket, 0)
	if err != nil || m.Kind != kindStart || m.Start == nil {
		return 1
	}
	c := &child{orders: *m.Start, started: time.Now(), ooms: countOOMs(), sampled: time.Now()}
	if err := send(fdSocket, 0, message{Kind: kindReady}, nil); err != nil {
		return 1
	}
	c.watch()
	if c.goodbye {
		return 0
	}
	if !c.awaitEnd() {
		return 0 // it has become another program (exec): its heaps are gone, and it lives
	}
	return c.afterDeath()
}

// closeInherited closes what the program had open without close-on-exec, which is no concern of this process and would be
// held open by it: a library's sockets, say. What was opened in this process has the flag: Go sets it.
func closeInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= fdPidfd {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
}

// niceness is the priority of this process: what it does can wait.
const niceness = 10

// lowerPriority makes every thread nice, for that is a thread's on Linux; further ones inherit it.
func lowerPriority() {
	threads, _ := os.ReadDir("/proc/self/task")
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = unix.Setpriority(unix.PRIO_PROCESS, id, niceness)
		}
	}
}

// samplePeriod is how often it is looked whether the kernel has killed other processes for want of memory, so that those are
// not taken for this one.
const samplePeriod = time.Minute

// watch hears what the program says until it says no more.
func (c *child) watch() {
	for !c.goodbye {
		fds := []unix.PollFd{{Fd: fdSocket, Events: unix.POLLIN}, {Fd: -1, Events: unix.POLLIN}}
		if c.HasPidfd {
			fds[1].Fd = fdPidfd
		}
		if _, err := unix.Poll(fds, int(samplePeriod.Milliseconds())); err != nil && err != unix.EINTR {
			return
		}
		// Its last words come first, should it be dead already.
		for !c.goodbye {
			m, file, err := receive(fdSocket, unix.MSG_DONTWAIT)
			if err == unix.EAGAIN {
				break
			}
			if err != nil {
				return
			}
			c.hear(m, file)
		}
		if fds[1].Revents != 0 {
			return // somebody else, a child of the program for example, may hold the other end of the socket
		}
		if time.Since(c.sampled) >= samplePeriod {
			c.ooms, c.sampled = countOOMs(), time.Now()
		}
	}
}

func (c *child) hear(m message, file *os.File) {
	switch m.Kind {
	case kindHeap:
		c.heaps = append(c.heaps, keptHeap{m.Name, m.Base, file})
		return
	case kindClosed:
		for i, h := range c.heaps {
			if h.base == m.Base {
				if h.file != nil {
					h.file.Close()
				}
				c.heaps = append(c.heaps[:i], c.heaps[i+1:]...)
				break
			}
		}
	case kindGoodbye:
		c.goodbye = true
	}
	if file != nil {
		file.Close()
	}
}

// endTimeout is how long a program may take to end after it has closed its files.
const endTimeout = 5 * time.Second

// awaitEnd waits until the program has ended; false: it has not.
func (c *child) awaitEnd() bool {
	if c.HasPidfd {
		return polled(fdPidfd, unix.POLLIN, endTimeout)
	}
	for late := time.Now().Add(endTimeout); os.Getppid() == c.PID; {
		if time.Now().After(late) {
			return false
		}
		_, _ = unix.Poll(nil, 10) // an old kernel: nothing tells
	}
	return true
}

// polled waits for one of the events of a descriptor.
func polled(fd int, events int16, limit time.Duration) bool {
	for late := time.Now().Add(limit); ; {
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(fds, int(max(time.Until(late), 0).Milliseconds()))
		switch {
		case err == unix.EINTR && time.Now().Before(late):
		case err != nil || n == 0:
			return false
		default:
			return fds[0].Revents&(events|unix.POLLHUP) != 0
		}
	}
}

// afterDeath finds out how the program ended, and writes a post-mortem if that was no good end.
func (c *child) afterDeath() (status int) {
	// The memory of the heaps stays as long as it is held here. Should the kernel need it, it shall take it from this process
	// and not look for another one to kill.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	// Should anything hang (a network file system), this process does not.
	limit := time.Duration(c.TimeLimit)
	time.AfterFunc(limit+5*time.Second, func() { os.Exit(1) })
	defer func() {
		if failure := recover(); failure != nil {
			c.say(fmt.Sprintf("died, and the recorder failed: %v", failure))
			status = 1
		}
	}()
	crash := crashText()
	e := c.howItEnded(crash != "")
	p := c.examine(e, crash)
	if p == nil {
		return 0
	}
	if err := c.write(p); err != nil {
		c.say(fmt.Sprintf("died of %s; the post-mortem can't be written: %v", p.Cause.Summary, err))
		return 1
	}
	found := ""
	if p.Findings > 0 {
		found = fmt.Sprintf("; %d findings in its heaps", p.Findings)
		if p.Findings == 1 {
			found = "; 1 finding in its heaps"
		}
	}
	c.say(fmt.Sprintf("died of %s%s: see %s", p.Cause.Summary, found, filepath.Join(c.Directory, fileName(p)+".txt")))
	return 0
}

// crashText is what the runtime wrote. The file's position, which the program shared, is where it ended.
func crashText() string {
	end, err := unix.Seek(fdCrash, 0, unix.SEEK_CUR)
	if err != nil || end <= 0 {
		return ""
	}
	text := make([]byte, min(end, mostCrashBytes))
	n, err := unix.Pread(fdCrash, text, 0)
	if err != nil || n <= 0 {
		return ""
	}
	return string(text[:n])
}

// say writes a line to the program's standard error, if that takes it at once: nobody may be reading there.
func (c *child) say(what string) {
	if c.Silent || !polled(fdStderr, unix.POLLOUT, time.Second) {
		return
	}
	line := fmt.Sprintf("glassheap: process %d (%s) %s\n", c.PID, c.Program, what)
	_, _ = syscall.Write(fdStderr, []byte(line[:min(len(line), 4000)])) // whole, or not at all: pipe(7), PIPE_BUF
}
