//go:build unix && !linux

package allocator

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const defaultBacking = BackingAnonymous

// reserveFlags map address space; what is inaccessible costs no memory here.
const reserveFlags = unix.MAP_PRIVATE | unix.MAP_ANON

// open opens what backs the range. There is no memfd on this system.
func (m *memory) open(o Options) error {
	switch m.backing {
	case BackingFile:
		return m.openFile(o.Path)
	case BackingMemfd:
		return fmt.Errorf("memfd backing exists on Linux only: choose anonymous or a file")
	}
	return nil
}

// discard gives the memory of a committed part back, as far as this system knows how.
func (m *memory) discard(offset, bytes uint64) error {
	return unix.Madvise(unsafe.Slice((*byte)(m.at(offset)), bytes), unix.MADV_DONTNEED)
}

// dump would say whether a part goes into a core file. Here the system decides.
func dump(unsafe.Pointer, uint64, bool) {}

// vacate is discard for a part that is committed again before it is used.
func (m *memory) vacate(offset, bytes uint64) error { return m.discard(offset, bytes) }

// provide takes no room on the disk: this system has no call that does so for a part of a file.
func (m *memory) provide(_, _ uint64) error { return nil }

// collapse puts nothing on huge pages: this system decides that itself.
func (m *memory) collapse(_, _ uint64) error { return unix.ENOTSUP }

func guardByAdvice(start unsafe.Pointer, bytes uint64, on bool) error {
	return guardByProtection(start, bytes, on)
}
