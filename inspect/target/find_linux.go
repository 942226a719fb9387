package target

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// memfdPrefix opens the path of a heap's memfd in /proc/PID/maps and behind /proc/PID/fd/N; the heap's name follows.
const memfdPrefix = "/memfd:glassheap:"

// found is a heap in a process, with what is needed to open it.
type found struct {
	Place
	path     string    // of the memory file, as the kernel shows it; empty: anonymous memory
	inode    uint64    // of the memory file
	mappings []mapping // of the memory file
	reserve  uint64    // bytes of the range, as the header says
}

// FindHeaps lists the heaps of a process by their addresses: those whose memory file is mapped, and those in anonymous
// memory. Where there are none, it lists the memory files that the process merely holds open, for a process that had
// inherited one or was given it. The list may be empty.
func FindHeaps(pid int) ([]Place, error) {
	heaps, err := procOf(pid).heaps()
	if err != nil {
		return nil, err
	}
	places := make([]Place, len(heaps))
	for i, h := range heaps {
		places[i] = h.Place
	}
	return places, nil
}

func (p proc) heaps() ([]found, error) {
	heaps, links, err := p.mappedHeaps()
	if err == nil && len(heaps) == 0 {
		heaps = p.heldHeaps(links)
	}
	return heaps, err
}

// everyHeap lists the mapped heaps, and behind them the memory files that the process merely holds open.
func (p proc) everyHeap() ([]found, error) {
	heaps, links, err := p.mappedHeaps()
	if err != nil {
		return nil, err
	}
	mapped := map[uint64]bool{}
	for _, h := range heaps {
		mapped[h.inode] = true
	}
	for _, h := range p.heldHeaps(links) {
		if !mapped[h.inode] {
			heaps = append(heaps, h)
		}
	}
	return heaps, nil
}

// mappedHeaps lists the heaps that the process has mapped, by their addresses. A heap that can't be seen is not "no heap".
func (p proc) mappedHeaps() ([]found, *descriptors, error) {
	if s, err := p.stat(); err == nil && s.state == "Z" {
		return nil, nil, &NotFoundError{PID: p.pid, Ended: true}
	}
	maps, err := readMaps(p.dir)
	if err != nil {
		return nil, nil, p.explain("look into", err)
	}
	reader := newProcessMemory(p)
	defer reader.Close()

	links := &descriptors{proc: p}
	heaps := p.memfdHeaps(maps, links)
	heaps = append(heaps, p.fileHeaps(maps, links, reader)...)
	anonymous, err := anonymousHeaps(maps, reader)
	heaps = append(heaps, anonymous...)
	if len(heaps) == 0 && errors.Is(err, fs.ErrPermission) {
		return nil, nil, p.refused("look into", err)
	}
	slices.SortStableFunc(heaps, func(a, b found) int { return cmp.Compare(a.Base, b.Base) })
	return heaps, links, nil
}

// memfdHeaps finds the memfds by the name that the kernel keeps for them: nothing in the process can change it.
func (p proc) memfdHeaps(maps []mapping, links *descriptors) []found {
	var heaps []found
	for _, mappings := range byFile(maps, func(m mapping) bool { return strings.HasPrefix(m.path, memfdPrefix) }) {
		f := found{path: mappings[0].path, inode: mappings[0].inode, mappings: mappings}
		f.Name, f.Backing = memfdName(f.path), layout.BackingMemfd.String()
		f.setBase(p.headerBase(f, links))
		heaps = append(heaps, f)
	}
	return heaps
}

func memfdName(path string) string {
	return printable(strings.TrimSuffix(strings.TrimPrefix(path, memfdPrefix), deleted))
}

// headerBase is the address that a memory file's header gives for itself; 0 when it can't be read or says nothing.
func (p proc) headerBase(f found, links *descriptors) uint64 {
	file, err := p.openMemoryFile(f, links)
	if err != nil {
		return 0
	}
	defer file.Close()
	start, err := startOf(file)
	if err != nil {
		return 0
	}
	id, _ := recognise(start, 0)
	return id.Base
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

// base is where offset 0 of the mapping's file would lie.
func (m mapping) base() (base uint64, ok bool) { return m.start - m.offset, m.start > m.offset }

// byFile groups the mappings of wanted files by file, in the order of their first addresses.
func byFile(maps []mapping, wanted func(mapping) bool) [][]mapping {
	type id struct{ device, inode uint64 }
	var groups [][]mapping
	at := map[id]int{}
	for _, m := range maps {
		if m.inode == 0 || !wanted(m) {
			continue
		}
		i, seen := at[id{m.device, m.inode}]
		if !seen {
			i = len(groups)
			at[id{m.device, m.inode}] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups
}

// fileHeaps finds the heaps in named files: they are mapped shared from their start, and start with a header.
func (p proc) fileHeaps(maps []mapping, links *descriptors, reader *processMemory) []found {
	var heaps []found
	for _, mappings := range byFile(maps, func(m mapping) bool { return m.shared && !strings.HasPrefix(m.path, memfdPrefix) }) {
		first := mappings[0]
		if first.offset != 0 || first.bytes() < layout.HeaderBytes {
			continue
		}
		f := found{path: first.path, inode: first.inode, mappings: mappings}
		var start []byte
		if file, err := p.openMemoryFile(f, links); err == nil {
			start, _ = startOf(file)
			file.Close()
		} else {
			start = reader.headerAt(first.start)
		}
		id, ok := recognise(start, 0)
		if !ok {
			continue
		}
		f.Name, f.Backing, f.reserve = printable(id.HeapName()), layout.BackingFile.String(), id.Reserve
		f.setBase(id.Base)
		heaps = append(heaps, f)
	}
	return heaps
}

// mostAnonymousHeaps bounds the work that a process can cause by what it writes into its memory.
const mostAnonymousHeaps = 1 << 10

// anonymousHeaps finds the heaps in anonymous memory. A heap's range has inaccessible pages behind the header, and the kernel
// joins no mappings of different flags: so a header is at the start of a mapping, with one exception. A heap whose last
// arena is in use touches a heap that was made before it: there, the first one's reserve tells where to look.
func anonymousHeaps(maps []mapping, reader *processMemory) ([]found, error) {
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
	return heaps, reader.refused()
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

// mappingAt is the index of the first mapping that ends behind an address.
func mappingAt(maps []mapping, address uint64) int {
	i, _ := slices.BinarySearchFunc(maps, address, func(m mapping, address uint64) int {
		if m.end <= address {
			return -1
		}
		return 1
	})
	return i
}

// readableWithin lists the accessible parts of a range, as offsets from its start.
func readableWithin(maps []mapping, base uint64, bytes int64) []Extent {
	var parts []Extent
	covered := base
	for _, m := range maps[mappingAt(maps, base):] {
		if m.start >= base+uint64(bytes) {
			break
		}
		start, end := max(m.start, covered), min(m.end, base+uint64(bytes))
		if !m.readable || start >= end {
			continue
		}
		parts = append(parts, Extent{int64(start - base), int64(end - start)})
		covered = end
	}
	return join(parts, 0)
}

// heldHeaps finds the memfds that the process has open and not mapped.
func (p proc) heldHeaps(links *descriptors) []found {
	var heaps []found
	seen := map[uint64]bool{}
	for _, d := range links.all() {
		if !strings.HasPrefix(d.path, memfdPrefix) {
			continue
		}
		info, err := os.Stat(d.link)
		if err != nil {
			continue
		}
		f := found{path: d.path, inode: inodeOf(info)}
		if seen[f.inode] {
			continue
		}
		seen[f.inode] = true
		f.Name, f.Bytes, f.Backing = memfdName(d.path), uint64(info.Size()), layout.BackingMemfd.String()
		heaps = append(heaps, f)
	}
	return heaps
}

// find is the heap that the options name: one that the process has mapped, or that it holds, beside heaps of its own or not.
func (p proc) find(o Options) (found, error) {
	heaps, err := p.heaps()
	if err != nil {
		return found{}, err
	}
	f, err := p.choose(heaps, o)
	if o.Heap == "" || !errors.As(err, new(*NoHeapError)) {
		return f, err
	}
	if every, failed := p.everyHeap(); failed == nil && len(every) > len(heaps) {
		return p.choose(every, o)
	}
	return f, err
}

// choose is the heap among several that the options name.
func (p proc) choose(heaps []found, o Options) (found, error) {
	places := make([]Place, len(heaps))
	for i, h := range heaps {
		places[i] = h.Place
	}
	i, err := choose(places, o, p.pid, p.program())
	if err != nil {
		return found{}, err
	}
	return heaps[i], nil
}
