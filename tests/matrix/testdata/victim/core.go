package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// keepCoresSmall leaves all but the heap, and the page by which the program is known, out of cores of this process: the kernel and
// gcore are told by core(5)'s filter, and Delve, which dumps all that can be read, by a word for each mapping (madvise(2),
// MADV_DONTDUMP).
func keepCoresSmall() {
	sharedMemoryAndELFHeaders := []byte("0x12")
	_ = os.WriteFile("/proc/self/coredump_filter", sharedMemoryAndELFHeaders, 0)
	maps := must(os.Open("/proc/self/maps"))
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var start, end uintptr
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x", &start, &end); err == nil && !strings.Contains(lines.Text(), "/") {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTDUMP)
		}
	}
}

// dumpCore has the kernel make a core of this program as it is now, and lets it go on: a child that shares the heap's memory is
// aborted in its place. It returns what happened.
func dumpCore(folder string) string {
	if err := os.Chdir(folder); err != nil {
		return err.Error()
	}
	var limit syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit)
	child, errno := abortedChild()
	if errno != 0 {
		return errno.Error()
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(child, &status, 0, nil); err != nil {
		return err.Error()
	}
	if !status.CoreDump() {
		return "the system wrote no core: raise ulimit -H -c"
	}
	return "core dumped"
}

// abortedChild forks a child that aborts. In the child there is one thread and no runtime: it may call the kernel, no more.
//
//go:nosplit
//go:norace
func abortedChild() (pid int, errno syscall.Errno) {
	const bytesOfMask = 8
	var byDefault [4]uint64 // struct sigaction of the kernel: no handler, no flags, an empty mask
	child, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if child != 0 || errno != 0 {
		return int(child), errno
	}
	const unblock = 1
	all := ^uint64(0)
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGABRT), uintptr(unsafe.Pointer(&byDefault)), 0, bytesOfMask, 0, 0)
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, unblock, uintptr(unsafe.Pointer(&all)), 0, bytesOfMask, 0, 0)
	self, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	syscall.RawSyscall(syscall.SYS_KILL, self, uintptr(syscall.SIGABRT), 0)
	for {
		syscall.RawSyscall(syscall.SYS_EXIT, 1, 0, 0)
	}
}
