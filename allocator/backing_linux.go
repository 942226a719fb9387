package allocator

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const defaultBacking = BackingMemfd

// reserveFlags map address space without promising memory for it.
const reserveFlags = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_NORESERVE

// open opens what backs the range: a memfd, which other processes find in /proc/PID/maps by its name and map through
// /proc/PID/fd (memfd_create(2)), a named file, or nothing.
func (m *memory) open(o Options) error {
	switch m.backing {
	case BackingFile:
		return m.openFile(o.Path)
	case BackingMemfd:
		fd, err := unix.MemfdCreate("glassheap:"+o.Name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
		switch {
		case err == nil:
			m.file = os.NewFile(uintptr(fd), "memfd:glassheap:"+o.Name)
			// Nobody shrinks it under a reader that has it mapped. A kernel that can't promise that is no reason to fail.
			_, _ = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK)
		case errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES):
			m.backing = BackingAnonymous // forbidden here; readers copy the memory out of the process instead
		default:
			return fmt.Errorf("memfd_create: %w", err)
		}
	}
	return nil
}

// discard gives the memory of a committed part back; its bytes read as zero afterwards.
func (m *memory) discard(offset, bytes uint64) error {
	if m.file == nil {
		return unix.Madvise(unsafe.Slice((*byte)(m.at(offset)), bytes), unix.MADV_DONTNEED)
	}
	return unix.Fallocate(int(m.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(offset), int64(bytes))
}

// Linux 6.13: madvise(2), MADV_GUARD_INSTALL. No mapping is split.
const (
	adviseGuard   = 102
	adviseUnguard = 103
)

func guardByAdvice(start unsafe.Pointer, bytes uint64, on bool) error {
	advice := adviseUnguard
	if on {
		advice = adviseGuard
	}
	return unix.Madvise(unsafe.Slice((*byte)(start), bytes), advice)
}
