//go:build unix

package allocator

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// memory is the reserved address range and what backs it. The range is inaccessible but for the parts that were committed.
// Offsets are from its start, in the range and in the file alike; offsets and sizes are multiples of a page.
type memory struct {
	base     unsafe.Pointer
	bytes    uint64
	backing  Backing
	file     *os.File // nil for anonymous memory
	fileEnd  uint64
	guarding func(start unsafe.Pointer, bytes uint64, on bool) error // the way of making guard pages that works here
	hidden   map[uint64]struct{}                                     // parts that cores shall not hold, by their offsets
}

// reserve reserves address space and opens what backs it. The error is errNoAddressSpace when less of it might be had.
func reserve(o Options, bytes uint64) (*memory, error) {
	base, err := reserveAligned(bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: reserving %d MiB: %w", errNoAddressSpace, bytes>>20, err)
	}
	m := &memory{base: base, bytes: bytes, backing: o.Backing, guarding: guardByAdvice, hidden: map[uint64]struct{}{}}
	if err := m.open(o); err != nil {
		_ = unix.MunmapPtr(base, uintptr(bytes))
		return nil, err
	}
	return m, nil
}

var errNoAddressSpace = errors.New("no address space")

// reserveAligned reserves address space from a multiple of a huge page's size on, so that what AllocAligned aligns within the
// data is aligned in memory, and what is aligned in the file, too. The system promises the multiple of a page.
func reserveAligned(bytes uint64) (unsafe.Pointer, error) {
	start, err := unix.MmapPtr(-1, 0, nil, uintptr(bytes+hugeBytes), unix.PROT_NONE, reserveFlags)
	if err != nil {
		return nil, err
	}
	before := -uintptr(start) & (hugeBytes - 1)
	base := unsafe.Add(start, before)
	// What is too much costs nothing but address space, should the system refuse to take it back.
	if before > 0 {
		_ = unix.MunmapPtr(start, before)
	}
	_ = unix.MunmapPtr(unsafe.Add(base, bytes), hugeBytes-before)
	dump(base, bytes, false)
	return base, nil
}

func (m *memory) at(offset uint64) unsafe.Pointer { return unsafe.Add(m.base, offset) }

// commit makes a part accessible: its bytes are zero.
func (m *memory) commit(offset, bytes uint64) error {
	if bytes == 0 {
		return nil
	}
	if m.file == nil {
		if err := unix.Mprotect(unsafe.Slice((*byte)(m.at(offset)), bytes), unix.PROT_READ|unix.PROT_WRITE); err != nil {
			return fmt.Errorf("mprotect of %d KiB: %w", bytes>>10, err)
		}
		dump(m.at(offset), bytes, true)
		return nil
	}
	if end := offset + bytes; end > m.fileEnd {
		if err := m.file.Truncate(int64(end)); err != nil {
			return fmt.Errorf("growing the memory file to %d MiB (ulimit -f, memory cgroup?): %w", end>>20, err)
		}
		m.fileEnd = end
	}
	if m.backing == BackingFile {
		if err := m.provide(offset, bytes); err != nil {
			return fmt.Errorf("the disk has no room for %d KiB more of the heap's file: %w", bytes>>10, err)
		}
	}
	if _, err := unix.MmapPtr(int(m.file.Fd()), int64(offset), m.at(offset), uintptr(bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED); err != nil {
		return fmt.Errorf("mapping %d KiB of the memory file: %w", bytes>>10, err)
	}
	return nil
}

// release makes a part inaccessible and gives its memory back.
func (m *memory) release(offset, bytes uint64) {
	// Errors cost memory, not correctness: the part is committed again before it is used.
	_ = m.vacate(offset, bytes)
	_, _ = unix.MmapPtr(-1, 0, m.at(offset), uintptr(bytes), unix.PROT_NONE, reserveFlags|unix.MAP_FIXED)
	dump(m.at(offset), bytes, false)
}

// conceal makes a committed part inaccessible, and keeps its memory; reveal undoes it.
func (m *memory) conceal(offset, bytes uint64) error { return m.protect(offset, bytes, unix.PROT_NONE) }

func (m *memory) reveal(offset, bytes uint64) error {
	return m.protect(offset, bytes, unix.PROT_READ|unix.PROT_WRITE)
}

func (m *memory) protect(offset, bytes uint64, protection int) error {
	if err := unix.Mprotect(unsafe.Slice((*byte)(m.at(offset)), bytes), protection); err != nil {
		return err
	}
	dump(m.at(offset), bytes, protection != unix.PROT_NONE)
	return nil
}

// guard makes a committed part inaccessible; unguard undoes it.
func (m *memory) guard(offset, bytes uint64) error {
	err := m.guarding(m.at(offset), bytes, true)
	if err != nil {
		// The kernel knows no guard advice: protect the page, which costs a mapping of its own.
		m.guarding = guardByProtection
		err = m.guarding(m.at(offset), bytes, true)
	}
	return err
}

func (m *memory) unguard(offset, bytes uint64) {
	if bytes > 0 {
		_ = m.guarding(m.at(offset), bytes, false)
		m.show(offset, bytes)
	}
}

// mostHidden bounds the parts that are hidden: each is a mapping of its own, of which the system grants 65,530 to a program
// (vm.max_map_count).
const mostHidden = 2048

// hide keeps a part that was guarded out of core files, as long as there are not too many. gcore gives up on a mapping at the
// first page that it can't read, and loses what lies behind it; dlv dump loses up to a MiB. The kernel's own cores don't.
func (m *memory) hide(offset, bytes uint64) {
	if len(m.hidden) < mostHidden {
		m.hidden[offset] = struct{}{}
		dump(m.at(offset), bytes, false)
	}
}

// show undoes hide.
func (m *memory) show(offset, bytes uint64) {
	if _, hidden := m.hidden[offset]; hidden {
		delete(m.hidden, offset)
		dump(m.at(offset), bytes, true)
	}
}

func guardByProtection(start unsafe.Pointer, bytes uint64, on bool) error {
	protection := unix.PROT_READ | unix.PROT_WRITE
	if on {
		protection = unix.PROT_NONE
	}
	return unix.Mprotect(unsafe.Slice((*byte)(start), bytes), protection)
}

// close gives the whole range back. A named file stays.
func (m *memory) close() error {
	err := unix.MunmapPtr(m.base, uintptr(m.bytes))
	if m.file != nil {
		if closeErr := m.file.Close(); err == nil {
			err = closeErr
		}
	}
	return err
}

// openFile opens the named file of BackingFile.
func (m *memory) openFile(path string) (err error) {
	m.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("the heap's file must be a new one: %w", err)
	}
	return nil
}
