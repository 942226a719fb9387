package target

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// view maps a memory file, once for each size that it is seen to have. The mappings stay until Close, because somebody may
// be looking.
type view struct {
	lock   sync.Mutex
	file   *os.File
	mapped [][]byte
}

// newView is a view of a memfd that nobody can shrink: a page that was there stays there, so that no read through the mapping
// is answered by a signal. nil where that isn't promised.
func newView(file *os.File) *view {
	seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0)
	if err != nil || seals&unix.F_SEAL_SHRINK == 0 {
		return nil
	}
	return &view{file: file}
}

func (v *view) bytes(offset, bytes int64) []byte {
	if v == nil || offset < 0 || bytes < 0 || offset > mostHeapBytes || bytes > mostHeapBytes {
		return nil
	}
	// What the heap says may be a lie: no read through the mapping may fill a hole of the owner's file.
	if hole, err := unix.Seek(int(v.file.Fd()), offset, unix.SEEK_HOLE); err != nil || hole < offset+bytes {
		return nil
	}
	v.lock.Lock()
	defer v.lock.Unlock()
	if n := len(v.mapped); n > 0 && offset+bytes <= int64(len(v.mapped[n-1])) {
		return v.mapped[n-1][offset : offset+bytes : offset+bytes]
	}
	info, err := v.file.Stat()
	if err != nil || offset+bytes > info.Size() {
		return nil
	}
	mapped, err := unix.Mmap(int(v.file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		return nil // address space is short: it is read instead
	}
	v.mapped = append(v.mapped, mapped)
	return mapped[offset : offset+bytes : offset+bytes]
}

func (v *view) close() {
	if v == nil {
		return
	}
	v.lock.Lock()
	defer v.lock.Unlock()
	for _, mapped := range v.mapped {
		_ = unix.Munmap(mapped)
	}
	v.mapped = nil
}
