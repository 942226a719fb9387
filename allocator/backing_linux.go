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

// discard gives the memory of a committed part back; its bytes read as zero afterwards. The room of a named file on the disk
// stays: a page that finds none when it is touched again is a SIGBUS. It is an error where the file system can't do that.
func (m *memory) discard(offset, bytes uint64) error {
	if m.file == nil {
		return unix.Madvise(unsafe.Slice((*byte)(m.at(offset)), bytes), unix.MADV_DONTNEED)
	}
	how := uint32(unix.FALLOC_FL_PUNCH_HOLE)
	if m.backing == BackingFile {
		how = unix.FALLOC_FL_ZERO_RANGE
	}
	return unix.Fallocate(int(m.file.Fd()), how|unix.FALLOC_FL_KEEP_SIZE, int64(offset), int64(bytes))
}

// vacate is discard for a part that is committed again before it is used.
func (m *memory) vacate(offset, bytes uint64) error {
	if m.file == nil {
		return m.discard(offset, bytes)
	}
	return unix.Fallocate(int(m.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(offset), int64(bytes))
}

// dump says whether a part goes into a core file. What is merely reserved must not: gcore writes out the whole of a mapping,
// inaccessible or not, and a reserve of 64 GiB fills a disk. Errors make cores larger, no more. A mapping of the memory file
// needs no word, it is dumped from the start.
func dump(start unsafe.Pointer, bytes uint64, on bool) {
	advice := unix.MADV_DONTDUMP
	if on {
		advice = unix.MADV_DODUMP
	}
	_ = unix.Madvise(unsafe.Slice((*byte)(start), bytes), advice)
}

// provide takes room on the disk for a part of a named file, so that a full disk is an error here and no SIGBUS later. File
// systems that can't promise it don't.
func (m *memory) provide(offset, bytes uint64) error {
	for {
		err := unix.Fallocate(int(m.file.Fd()), 0, int64(offset), int64(bytes))
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS):
			return nil
		default:
			return err
		}
	}
}

// Linux 6.1: madvise(2), MADV_COLLAPSE. It works for a memfd whatever the system's settings are but for shmem_enabled=deny.
const adviseCollapse = 25

// collapse puts a committed part, of whole huge pages and not in use, on huge pages. Guard pages in it would be lost.
func (m *memory) collapse(offset, bytes uint64) error {
	*(*byte)(m.at(offset)) = 0 // where nothing was ever touched the system finds nothing to collapse: EINVAL
	return unix.Madvise(unsafe.Slice((*byte)(m.at(offset)), bytes), adviseCollapse)
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
