package target

import (
	"os"
	"unsafe"

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

// registers are the general and the floating-point registers of a stopped thread, as the kernel lays them out. What the kernel
// does not tell is left out.
func registers(tid int) (words []byte) {
	const general, floating = 1, 2 // NT_PRSTATUS, NT_PRFPREG of elf.h
	for _, set := range []uintptr{general, floating} {
		buffer := make([]byte, 4096)
		into := unix.Iovec{Base: &buffer[0]}
		into.SetLen(len(buffer))
		_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GETREGSET, uintptr(tid), set, uintptr(unsafe.Pointer(&into)), 0, 0)
		if errno == 0 {
			words = append(words, buffer[:into.Len&^7]...)
		}
	}
	return words
}
