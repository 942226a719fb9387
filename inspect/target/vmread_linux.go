package target

import (
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// processMemory copies memory out of a process, by process_vm_readv(2) or, where that is forbidden, from /proc/PID/mem.
//
// Such a read makes the kernel give a page to a hole of a shared mapping. That is why memory files are read through a
// descriptor whenever there is one.
type processMemory struct {
	proc
	lock   sync.RWMutex // held while the descriptors are used: exclusively to close them
	handle int          // of the process (pidfd_open(2)); -1: this kernel has none
	memory *os.File     // /proc/PID/mem, if that is the way
	denied error        // neither way is open
	closed bool
}

// newProcessMemory finds out which way is open.
func newProcessMemory(p proc) *processMemory {
	m := &processMemory{proc: p}
	var err error
	if m.handle, err = unix.PidfdOpen(p.pid, 0); err != nil {
		m.handle = -1
	}
	// Nothing is mapped at address 0: EFAULT means that one may look.
	_, err = m.copyOut(make([]byte, 1), 0)
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOSYS) {
		return m
	}
	if m.memory, m.denied = os.Open(p.dir + "/mem"); m.denied != nil && errors.Is(err, unix.EPERM) {
		m.denied = err
	}
	return m
}

// refused is why nothing can be read; nil: something can.
func (m *processMemory) refused() error { return m.denied }

func (m *processMemory) door() string {
	if m.memory != nil {
		return doorProcessMemory
	}
	return doorVMRead
}

func (m *processMemory) Close() error {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.closed {
		return os.ErrClosed
	}
	m.closed = true
	if m.memory != nil {
		m.memory.Close()
	}
	if m.handle >= 0 {
		return unix.Close(m.handle)
	}
	return nil
}

// copyOut reads from an address and returns how much could be read in one go.
func (m *processMemory) copyOut(p []byte, address uint64) (int, error) {
	if m.memory != nil {
		n, err := m.memory.ReadAt(p, int64(address))
		if n > 0 || err == io.EOF {
			return n, nil
		}
		return 0, err
	}
	if uint64(uintptr(address)) != address {
		return 0, unix.EFAULT // beyond the reach of a 32-bit program
	}
	local := []unix.Iovec{{Base: &p[0]}}
	local[0].SetLen(len(p))
	remote := []unix.RemoteIovec{{Base: uintptr(address), Len: len(p)}}
	return unix.ProcessVMReadv(m.pid, local, remote, 0)
}

const (
	pieceBytes = 1 << 20 // at most so much in one call
	skipBytes  = 256 << 10
)

var pageBytes = uint64(os.Getpagesize())

// fill reads len(p) bytes from an address on; what is not accessible becomes zeros.
func (m *processMemory) fill(p []byte, address uint64) error {
	m.lock.RLock()
	defer m.lock.RUnlock()
	if m.closed {
		return os.ErrClosed
	}
	if m.denied != nil {
		return m.proc.refused("look into", m.denied)
	}
	var readable []Extent // from address on; nil: not asked for yet
	start := address
	for len(p) > 0 {
		toPageEnd := min(pageBytes-address%pageBytes, uint64(len(p)))
		n, err := m.copyOut(p[:min(len(p), pieceBytes)], address)
		if err != nil && uint64(len(p)) > toPageEnd {
			// process_vm_readv(2) doesn't promise to read up to the inaccessible page.
			n, err = m.copyOut(p[:toPageEnd], address)
		}
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EFAULT), errors.Is(err, unix.EIO):
			n = int(toPageEnd)
			if len(p) > skipBytes {
				// So many pages are not tried one by one.
				if readable == nil {
					maps, err := readMaps(m.dir)
					if err != nil {
						return m.gone(err)
					}
					readable = append(readableWithin(maps, start, int64(address-start)+int64(len(p))), Extent{Offset: int64(address-start) + int64(len(p))})
				}
				at := int64(address - start)
				i := slices.IndexFunc(readable, func(e Extent) bool { return e.Bytes == 0 || e.end() > at })
				n = max(n, int(readable[i].Offset-at))
			}
			clear(p[:n])
		case err == nil && n == 0, errors.Is(err, unix.ESRCH):
			return &NotFoundError{PID: m.pid, Ended: true}
		case err != nil:
			return m.gone(err)
		}
		p, address = p[n:], address+uint64(n)
	}
	if m.ended() {
		return &NotFoundError{PID: m.pid, Ended: true} // and its id may be another's, whose memory this would be
	}
	return nil
}

// gone explains an error of a process that could be read before.
func (m *processMemory) gone(err error) error {
	if err = m.explain("look into", err); errors.As(err, new(*NotFoundError)) {
		return &NotFoundError{PID: m.pid, Ended: true}
	}
	return err
}

// ended says that the process is no more.
func (m *processMemory) ended() bool {
	if m.handle < 0 {
		return false
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(m.handle), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

// headerAt reads what may be the header of a heap; nil: nothing can be read there.
func (m *processMemory) headerAt(address uint64) []byte {
	m.lock.RLock()
	defer m.lock.RUnlock()
	if m.denied != nil {
		return nil
	}
	p := make([]byte, headerBytes)
	if n, err := m.copyOut(p, address); err != nil || n < len(p) {
		return nil
	}
	return p
}

// memoryRange is one heap's part of a process's memory.
type memoryRange struct {
	*processMemory
	base uint64
	size int64
}

func (r memoryRange) Size() int64 { return r.size }

func (r memoryRange) ReadAt(p []byte, offset int64) (int, error) {
	switch {
	case offset < 0:
		return 0, errNegativeOffset
	case len(p) == 0:
		return 0, nil
	case offset >= r.size:
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), r.size-offset))
	if err := r.fill(p[:n], r.base+uint64(offset)); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// data lists what is accessible.
func (r memoryRange) data(within Extent) ([]Extent, error) {
	maps, err := readMaps(r.dir)
	if err != nil {
		return nil, r.gone(err)
	}
	var parts []Extent
	for _, part := range readableWithin(maps, r.base, r.size) {
		start, end := max(part.Offset, within.Offset), min(part.end(), within.end())
		if start < end {
			parts = append(parts, Extent{start, end - start})
		}
	}
	return parts, nil
}
