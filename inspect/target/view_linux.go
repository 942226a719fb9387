package target

import (
	"os"
	"sync"
	"unsafe"

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
	mapped := v.upTo(offset + bytes)
	if mapped == nil {
		return nil
	}
	return resident(mapped, offset, bytes)
}

// upTo is a mapping that reaches so far at least; nil: there can't be one.
func (v *view) upTo(end int64) []byte {
	v.lock.Lock()
	defer v.lock.Unlock()
	if n := len(v.mapped); n > 0 && end <= int64(len(v.mapped[n-1])) {
		return v.mapped[n-1]
	}
	info, err := v.file.Stat()
	if err != nil || end > info.Size() {
		return nil
	}
	mapped, err := unix.Mmap(int(v.file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		return nil // address space is short: it is read instead
	}
	v.mapped = append(v.mapped, mapped)
	return mapped
}

// resident is a part of a mapping, or nil when one of its pages is not in memory: it may be a hole, which a read through the
// mapping would fill in the owner's file. What the heap says of its pages may be a lie, so the kernel is asked (mincore(2);
// asking for the next hole by lseek would walk the whole file each time).
func resident(mapped []byte, offset, bytes int64) []byte {
	page := int64(pageBytes)
	first := offset &^ (page - 1)
	pages := make([]byte, (offset+bytes-first+page-1)/page)
	if len(pages) == 0 {
		return nil
	}
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[first])), uintptr(offset+bytes-first), uintptr(unsafe.Pointer(&pages[0])))
	if errno != 0 {
		return nil
	}
	for _, state := range pages {
		if state&1 == 0 {
			return nil
		}
	}
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
