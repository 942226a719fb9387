//go:build unix

package allocator

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// File is a descriptor of its own for the file that holds the heap's memory, offset 0 of which is the Header: whoever has it
// can look at the heap, and as long as it is open the memory stays, even when the heap is closed or the program has ended.
// The heap must not be written through it. The error is errors.ErrUnsupported for a heap in anonymous memory.
func (h *Heap) File() (*os.File, error) {
	if h.memory.file == nil {
		return nil, fmt.Errorf("glassheap: heap %q is in anonymous memory, which has no file: %w", h.options.Name, errors.ErrUnsupported)
	}
	fd, err := unix.FcntlInt(h.memory.file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("glassheap: another descriptor for heap %q: %w", h.options.Name, err)
	}
	return os.NewFile(uintptr(fd), h.memory.file.Name()), nil
}

// Backing is what holds the heap's memory: what Options.Backing asked for, or BackingAnonymous where the system has no memfd.
func (h *Heap) Backing() Backing { return h.memory.backing }
