package target

import (
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// memfdPrefix opens the path of a heap's memfd in /proc/PID/maps and behind /proc/PID/fd/N; the heap's name follows.
const memfdPrefix = "/memfd:glassheap:"

// deleted is what the kernel appends to the path of a file that has no name any more.
const deleted = " (deleted)"

// found is a heap in a process, with what is needed to open it.
type found struct {
	Place
	path     string    // of the memory file, as the kernel shows it; empty: anonymous memory
	inode    uint64    // of the memory file
	mappings []mapping // of the memory file
	reserve  uint64    // bytes of the range, as the header says
}

// headerReader reads a process's memory where headers may be.
type headerReader interface {
	// headerAt reads what may be the header of a heap; nil: nothing can be read there.
	headerAt(address uint64) []byte
}

func memfdName(path string) string {
	return printable(strings.TrimSuffix(strings.TrimPrefix(path, memfdPrefix), deleted))
}

// setBase decides where the heap starts. Each mapping of the file gives an answer, usually the same. A process that has mapped
// the file again, to look at it, gives several: the owner's is the one that the header names.
func (f *found) setBase(headerSays uint64) {
	for _, m := range f.mappings {
		base, ok := m.base()
		if ok && (f.Base == 0 || base == headerSays) {
			f.Base = base
		}
	}
	for _, m := range f.mappings {
		if base, ok := m.base(); ok && base == f.Base && m.readable {
			f.Bytes += m.bytes()
		}
	}
}

// mostAnonymousHeaps bounds the work that a process can cause by what it writes into its memory.
const mostAnonymousHeaps = 1 << 10

// anonymousHeaps finds the heaps in anonymous memory. A heap's range has inaccessible pages behind the header, and the kernel
// joins no mappings of different flags: so a header is at the start of a mapping, with one exception. A heap whose last
// arena is in use touches a heap that was made before it: there, the first one's reserve tells where to look.
func anonymousHeaps(maps []mapping, reader headerReader) []found {
	var heaps []found
	known := map[uint64]bool{}
	look := func(m mapping, base uint64) {
		for m.end-base >= layout.HeaderBytes && !known[base] && len(heaps) < mostAnonymousHeaps {
			id, ok := recognise(reader.headerAt(base), base)
			if !ok {
				return
			}
			known[base] = true
			f := found{reserve: id.Reserve}
			f.Name, f.Base, f.Backing = printable(id.HeapName()), base, layout.BackingAnonymous.String()
			reach := f.reach(maps)
			for _, part := range readableWithin(maps, base, reach) {
				f.Bytes += uint64(part.Bytes)
			}
			heaps = append(heaps, f)
			next := base + uint64(reach)
			i := mappingAt(maps, next)
			if i == len(maps) || maps[i].start > next || !maps[i].anonymous() || !maps[i].readable {
				return
			}
			m, base = maps[i], next
		}
	}
	for _, m := range maps {
		if m.anonymous() && m.readable {
			look(m, m.start)
		}
	}
	return heaps
}

// reach is how many bytes from the base on can belong to the heap: what is mapped there without a gap and is anonymous or of
// the memory file, and not more than the header says.
func (f *found) reach(maps []mapping) int64 {
	end := f.Base
	for _, m := range maps[mappingAt(maps, end):] {
		mine := m.anonymous() || m.inode != 0 && m.inode == f.inode
		if m.start > end || !mine {
			break
		}
		end = max(end, m.end)
	}
	bytes := end - f.Base
	if f.reserve >= layout.HeaderBytes {
		bytes = min(bytes, f.reserve)
	}
	return int64(min(bytes, mostHeapBytes))
}
