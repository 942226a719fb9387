package target

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/glassheap/glassheap/allocator/layout"
)

// FindProcesses looks for heaps in every process of this machine. It stops none, and reads no more of a heap than its header.
// Processes that end meanwhile are left out; those that may not be looked into are listed. The error is the context's, or says
// that /proc can't be read.
func FindProcesses(ctx context.Context) (*Sightings, error) {
	pids, err := processIDs()
	if err != nil {
		return nil, err
	}
	looks := make([]look, len(pids))
	var next atomic.Int64
	var looking sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 8) {
		looking.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(pids) || ctx.Err() != nil {
					return
				}
				looks[i] = procOf(pids[i]).look()
			}
		})
	}
	looking.Wait()
	s := &Sightings{}
	for _, l := range looks {
		s.Heaps = append(s.Heaps, l.heaps...)
		s.Ended += l.ended
		s.Processes += l.looked
		if l.refused != nil {
			s.Refused = append(s.Refused, *l.refused)
		}
	}
	return s, ctx.Err()
}

func processIDs() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

// look is what was found out about one process.
type look struct {
	heaps         []Sighting
	refused       *Refused
	looked, ended int
}

func (p proc) look() (l look) {
	s, err := p.stat()
	switch {
	case err != nil || s.kernel:
		return l // it has ended, or has no memory of its own
	case s.state == "Z":
		l.ended = 1
		return l
	}
	heaps, err := p.everyHeap()
	switch {
	case errors.Is(err, fs.ErrPermission):
		l.refused = &Refused{PID: p.pid}
		if refused := (*PermissionError)(nil); errors.As(err, &refused) {
			l.refused.User = refused.Owner
		}
		return l
	case err != nil:
		return l // it has ended meanwhile
	}
	l.looked = 1
	if len(heaps) == 0 {
		return l
	}
	links, reader := &descriptors{proc: p}, newProcessMemory(p)
	defer reader.Close()
	program, inside, user := p.program(), p.idInside(), ""
	if uid, ok := p.user(); ok {
		user = userName(uid)
	}
	for i, f := range heaps {
		h := Sighting{PID: p.pid, Program: program, User: user, Place: f.Place, Number: i + 1, File: f.inode}
		p.seeHeader(&h, f, links, reader)
		h.Own = f.Base != 0 && h.Maker != 0 && (h.Maker == p.pid || h.Maker == inside)
		l.heaps = append(l.heaps, h)
	}
	return l
}

// seeHeader fills in what the heap's header tells.
func (p proc) seeHeader(h *Sighting, f found, links *descriptors, reader *processMemory) {
	var start []byte
	if file, err := p.openMemoryFile(f, links); f.path != "" && err == nil {
		start, _ = startOf(file)
		if info, err := file.Stat(); err == nil {
			if s, ok := info.Sys().(*syscall.Stat_t); ok {
				h.FileBytes = uint64(s.Blocks) * 512 // stat(2): of this size, whatever the file system's blocks are
			}
		}
		file.Close()
	} else if f.Base != 0 {
		start = reader.headerAt(f.Base)
	}
	id, ok := recognise(start, 0)
	if !ok {
		return
	}
	h.Maker = int(id.PID)
	if h.Known = id.Version == layout.Version && id.SchemaHash == layout.Hash(layout.SchemaText()) && id.Sum() == id.Checksum; h.Known {
		copy(layout.Bytes(&h.Header), start)
		h.Header.Identity = id
	}
}

// idInside is the id that the process has for itself, in a container for example.
func (p proc) idInside() int {
	ids := strings.Fields(p.status("NSpid"))
	if len(ids) == 0 {
		return p.pid
	}
	inside, err := strconv.Atoi(ids[len(ids)-1])
	if err != nil {
		return p.pid
	}
	return inside
}
