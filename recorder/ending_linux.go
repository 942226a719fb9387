package recorder

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ending is how the program ended.
type ending struct {
	known  bool
	status unix.WaitStatus
}

// exitTimeout is how long to wait for somebody to wait for the program: only then does the kernel tell.
const exitTimeout = 2 * time.Second

// howItEnded asks the kernel how the program ended. It tells whoever holds a pidfd, once the program's parent has waited for it
// (ioctl PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15). Until then the program is a zombie, and /proc tells. hurried:
// there is a crash text, which says more.
func (c *child) howItEnded(hurried bool) ending {
	if e := c.exitInfo(); e.known {
		return e
	}
	if e := c.zombieStatus(); e.known {
		return e
	}
	if !c.HasPidfd {
		return ending{}
	}
	limit := exitTimeout
	if hurried {
		limit /= 10
	}
	polled(fdPidfd, unix.POLLHUP, limit) // Linux 6.9 tells when it has been waited for; before, this returns at once
	return c.exitInfo()
}

// pidfdInfo is struct pidfd_info of linux/pidfd.h, as far as it was there in Linux 6.15.
type pidfdInfo struct {
	mask, cgroup    uint64
	pid, tgid, ppid uint32
	users           [8]uint32
	exitCode        int32
}

const (
	pidfdInfoExit = 1 << 3
	pidfdGetInfo  = 3<<30 | uint(unsafe.Sizeof(pidfdInfo{}))<<16 | 0xff<<8 | 11
)

func (c *child) exitInfo() ending {
	if !c.HasPidfd {
		return ending{}
	}
	info := pidfdInfo{mask: pidfdInfoExit}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, fdPidfd, uintptr(pidfdGetInfo), uintptr(unsafe.Pointer(&info)))
	if errno != 0 || info.mask&pidfdInfoExit == 0 {
		return ending{}
	}
	return ending{true, unix.WaitStatus(info.exitCode)}
}

// zombieStatus reads the last field of /proc/PID/stat. It says 0 to those who may not know: so it is believed to be 0 only
// where it belongs to the same user.
func (c *child) zombieStatus() ending {
	directory := "/proc/" + strconv.Itoa(c.PID)
	info, err := os.Stat(directory)
	if err != nil {
		return ending{}
	}
	text, err := os.ReadFile(directory + "/stat")
	if err != nil {
		return ending{}
	}
	// The id can't have become another process's as long as this one is there.
	if c.HasPidfd && unix.PidfdSendSignal(fdPidfd, 0, nil, 0) == unix.ESRCH {
		return ending{}
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 50 || string(fields[0]) != "Z" && string(fields[0]) != "X" {
		return ending{}
	}
	status, err := strconv.Atoi(string(fields[49]))
	owner, ok := info.Sys().(*syscall.Stat_t)
	if err != nil || status == 0 && (!ok || int(owner.Uid) != os.Geteuid()) {
		return ending{}
	}
	return ending{true, unix.WaitStatus(status)}
}

// oomCounts is how often the kernel has killed for want of memory.
type oomCounts struct{ group, machine int64 }

// countOOMs reads the counters of this process's cgroup, in which the program is too, and of the machine. -1: there is none.
func countOOMs() oomCounts {
	c := oomCounts{-1, counter("/proc/vmstat", "oom_kill")}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return c
	}
	for line := range bytes.Lines(text) {
		fields := bytes.SplitN(bytes.TrimSpace(line), []byte(":"), 3)
		switch {
		case len(fields) < 3:
		case string(fields[1]) == "": // cgroups of version 2
			c.group = max(c.group, counter("/sys/fs/cgroup"+string(fields[2])+"/memory.events", "oom_kill"))
		case string(fields[1]) == "memory": // of version 1
			c.group = max(c.group, counter("/sys/fs/cgroup/memory"+string(fields[2])+"/memory.oom_control", "oom_kill"))
		}
	}
	return c
}

// counter reads a file of lines "NAME NUMBER".
func counter(path, name string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return -1
	}
	for line := range bytes.Lines(text) {
		if fields := bytes.Fields(line); len(fields) == 2 && string(fields[0]) == name {
			if n, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// since says what speaks for a kill for want of memory; empty: nothing.
func (before oomCounts) since(now oomCounts) string {
	switch {
	case before.group >= 0 && now.group > before.group:
		return "the kernel has killed in this cgroup for want of memory (its counter oom_kill), in the last minutes: most likely this program"
	case before.machine >= 0 && now.machine > before.machine:
		return "the kernel has killed a process of this machine for want of memory (/proc/vmstat: oom_kill), in the last minutes: perhaps this program"
	}
	return ""
}
