package target

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// proc is the folder of a process or of a thread in /proc (proc(5)).
type proc struct {
	pid int
	dir string
}

func procOf(pid int) proc { return proc{pid, "/proc/" + strconv.Itoa(pid)} }

// thread is one thread of the process.
func (p proc) thread(tid int) proc { return proc{tid, p.dir + "/task/" + strconv.Itoa(tid)} }

// threads lists the ids of all threads.
func (p proc) threads() ([]int, error) {
	dir, err := os.Open(p.dir + "/task")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	tids := make([]int, 0, len(names))
	for _, name := range names {
		if tid, err := strconv.Atoi(name); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids, nil
}

// stat is what this package needs of /proc/PID/stat.
type stat struct {
	state   string // R running, S D waiting, T stopped, t traced, Z ended
	kernel  bool   // it is a thread of the kernel: it has no memory of its own
	threads int    // of the process
	started uint64 // ticks after boot: with the id, it names a process for good
}

func (p proc) stat() (stat, error) {
	text, err := os.ReadFile(p.dir + "/stat")
	if err != nil {
		return stat{}, err
	}
	// The program's name stands in parentheses and may contain any.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const state, flags, threads, started = 0, 9 - 3, 20 - 3, 22 - 3 // proc(5) counts from 1, and two fields are cut off
	if len(fields) <= started {
		return stat{}, errors.New(p.dir + "/stat is not as expected")
	}
	count, err := strconv.Atoi(fields[threads])
	ticks, ticksErr := strconv.ParseUint(fields[started], 10, 64)
	bits, flagsErr := strconv.ParseUint(fields[flags], 10, 64)
	return stat{fields[state], bits&kernelThread != 0, count, ticks}, cmp.Or(err, ticksErr, flagsErr)
}

// kernelThread is PF_KTHREAD of Linux (include/linux/sched.h), in the flags of /proc/PID/stat.
const kernelThread = 0x0020_0000

// status is a line of /proc/PID/status; empty: there is none.
func (p proc) status(key string) string {
	text, err := os.ReadFile(p.dir + "/status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// program is the name of the executable, whole if the link to it may be read.
func (p proc) program() string {
	if path, err := os.Readlink(p.dir + "/exe"); err == nil {
		return printable(filepath.Base(strings.TrimSuffix(path, deleted)))
	}
	comm, err := os.ReadFile(p.dir + "/comm")
	if err != nil {
		return ""
	}
	return printable(strings.TrimSuffix(string(comm), "\n"))
}

// explain turns an error of the system into one that says what to do. wish is what was tried.
func (p proc) explain(wish string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return p.refused(wish, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH):
		return &NotFoundError{PID: p.pid}
	}
	return err
}

// refused is the error of a process that may not be looked into or stopped.
func (p proc) refused(wish string, err error) *PermissionError {
	e := &PermissionError{
		Wish: wish, PID: p.pid, Program: p.program(), PtraceScope: ptraceScope(), AskedByRoot: os.Geteuid() == 0, Err: err,
	}
	if uid, ok := p.user(); ok {
		e.Owner, e.OwnerIsUs = userName(uid), int(uid) == os.Geteuid()
	}
	return e
}

// user is to whom the process belongs: its effective user. The folder belongs to root as soon as the process can't be traced.
func (p proc) user() (uid uint32, ok bool) {
	ids := strings.Fields(p.status("Uid"))
	if len(ids) < 2 {
		return 0, false
	}
	n, err := strconv.ParseUint(ids[1], 10, 32)
	return uint32(n), err == nil
}

func ptraceScope() int {
	text, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		return -1
	}
	scope, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || scope < 0 {
		return -1
	}
	return scope
}
