package target

import (
	"os"

	"golang.org/x/sys/unix"
)

// The requests of ptrace(2). All of a thread must come from the same thread of ours.

// seize traces a thread without stopping it. No options: above all not PTRACE_O_EXITKILL, which would kill the process with
// the checker.
func seize(tid int) error { return ptrace(unix.PTRACE_SEIZE, tid, 0) }

// interrupt stops a seized thread soon; wait4 tells when.
func interrupt(tid int) error { return ptrace(unix.PTRACE_INTERRUPT, tid, 0) }

// detach lets a stopped thread go on and receive a signal; 0: none. A thread that was stopped by SIGSTOP stays so.
func detach(tid, signal int) error { return ptrace(unix.PTRACE_DETACH, tid, signal) }

func ptrace(request, tid, data int) error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), 0, uintptr(data), 0, 0)
	if errno != 0 {
		return os.NewSyscallError("ptrace", errno)
	}
	return nil
}
