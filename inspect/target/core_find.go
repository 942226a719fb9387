package target

import (
	"bytes"
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// heaps lists the heaps of a core by their addresses: by the names of mapped files, where it tells these, and by their magic
// where memory is anonymous or nothing tells names (Delve writes none).
func (c *core) heaps() []found {
	heaps := c.namedHeaps()
	for _, h := range anonymousHeaps(c.mappings(), c) {
		if id, ok := recognise(c.headerAt(h.Base), h.Base); ok && len(c.files) == 0 {
			h.Backing = id.Backing.String() // a mapping without a name may be of a file all the same
		}
		heaps = append(heaps, h)
	}
	slices.SortStableFunc(heaps, func(a, b found) int { return cmp.Compare(a.Base, b.Base) })
	return heaps
}

// mappings is the address space as far as the core tells of it.
func (c *core) mappings() (maps []mapping) {
	for _, s := range c.segments {
		m := mapping{start: s.start, end: s.end, readable: s.readable() && s.dumped > 0, writable: s.writable()}
		if f := c.fileAt(s.start); f != nil {
			m.offset, m.inode, m.path, m.shared = f.offset+s.start-f.start, f.inode, f.path, true
		}
		maps = append(maps, m)
	}
	return maps
}

// fileAt is the mapped file at an address; nil: none.
func (c *core) fileAt(address uint64) *mapping {
	i, _ := slices.BinarySearchFunc(c.files, address, func(m mapping, address uint64) int {
		if m.end <= address {
			return -1
		}
		return 1
	})
	if i == len(c.files) || c.files[i].start > address {
		return nil
	}
	return &c.files[i]
}

// namedHeaps finds the heaps whose memory file is mapped: the name of a memfd tells, another file's start.
func (c *core) namedHeaps() (heaps []found) {
	lookedAt := 0
	for _, mappings := range byFile(c.files, func(mapping) bool { return true }) {
		first := mappings[0]
		f := found{path: first.path, inode: first.inode, mappings: mappings}
		var id layout.Identity
		for _, m := range mappings {
			if base, ok := m.base(); ok && id.Magic == 0 {
				id, _ = recognise(c.headerAt(base), base)
			}
		}
		switch {
		case strings.HasPrefix(f.path, memfdPrefix):
			f.Name, f.Backing = memfdName(f.path), layout.BackingMemfd.String()
		case id.Magic != 0:
			f.Name, f.Backing = printable(id.HeapName()), layout.BackingFile.String()
		case first.offset == 0 && !c.holds(first.start, uint64(headerBytes)) && lookedAt < mostFilesLookedAt:
			// Files are not dumped unless coredump_filter says so. The file itself may tell.
			lookedAt++
			name, ok := heapFileAt(f.path, first.start)
			if !ok {
				continue
			}
			f.Name, f.Backing = name, layout.BackingFile.String()
		default:
			continue
		}
		f.reserve = id.Reserve
		for i := range f.mappings {
			f.mappings[i].readable = true
		}
		f.setBase(id.Base)
		f.Bytes = c.heldOf(f.mappings)
		if f.Base != 0 {
			heaps = append(heaps, f)
		}
	}
	return heaps
}

// mostFilesLookedAt bounds how many files of this machine are opened because a core names them.
const mostFilesLookedAt = 64

// heapFileAt says whether a path leads to the file of a heap that has its Header at an address, and the heap's name.
func heapFileAt(path string, base uint64) (name string, ok bool) {
	// Opening a device may do something: look first.
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	file, err := openRegular(path)
	if err != nil {
		return "", false
	}
	defer file.Close()
	start, err := startOf(file)
	if err != nil || bytes.HasPrefix(start, []byte(elfMagic)) {
		return "", false
	}
	id, ok := recognise(start, base)
	return printable(id.HeapName()), ok
}

// choose is the heap that the options name. The error is a *NoHeapError, an *AmbiguousError or a *NotDumpedError.
func (c *core) choose(o Options) (found, error) {
	heaps := c.heaps()
	places := make([]Place, len(heaps))
	for i, h := range heaps {
		places[i] = h.Place
	}
	i, err := choose(places, o, owner{c.pid, c.program(), c.path})
	if err != nil {
		return found{}, err
	}
	if f := heaps[i]; !c.holds(f.Base, uint64(headerBytes)) {
		e := &NotDumpedError{Path: c.path, Heap: f.Name, Cut: c.lost > 0}
		if _, there := heapFileAt(f.path, f.Base); there {
			e.File = f.path
		}
		return found{}, e
	}
	return heaps[i], nil
}

// heldOf is how many bytes the file holds of some mappings.
func (c *core) heldOf(maps []mapping) (bytes uint64) {
	var ranges []addresses
	for _, m := range maps {
		ranges = append(ranges, addresses{m.start, m.end})
	}
	for _, r := range united(ranges) {
		for _, held := range within(c.held, r) {
			bytes += held.end - held.start
		}
	}
	return bytes
}
