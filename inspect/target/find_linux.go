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
	heaps = append(heaps, anonymousHeaps(maps, reader)...)
	if err := reader.refused(); len(heaps) == 0 && errors.Is(err, fs.ErrPermission) {
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
	i, err := choose(places, o, owner{pid: p.pid, program: p.program()})
	if err != nil {
		return found{}, err
	}
	return heaps[i], nil
}
