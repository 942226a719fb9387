package target

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/glassheap/glassheap/allocator/layout"
)

// OpenProcess opens a heap of a running process. The target is a Stopper, unless it is this process itself. A memory file
// stays readable when the process ends; what is copied out of it fails then with a *NotFoundError.
func OpenProcess(pid int, o Options) (Target, error) {
	if pid == os.Getpid() {
		return Self(o)
	}
	p := procOf(pid)
	before, err := p.stat()
	if err != nil {
		return nil, p.explain("look into", err)
	}
	t, err := p.open(o)
	if err != nil {
		return nil, err
	}
	other := &otherProcess{process: t, proc: p, started: before.started}
	other.inode, other.mapped = other.mapping()
	return other.stopping(o.Stop)
}

// Self opens a heap of this process. The Target is an Own.
func Self(o Options) (Target, error) {
	t, err := proc{os.Getpid(), "/proc/self"}.open(o)
	if err != nil {
		return nil, err
	}
	return own{t}, nil
}

// own is a heap of the process that looks.
type own struct{ *process }

func (own) Own() {}

// process is a heap of a process.
type process struct {
	door
	base        uint64
	description Description
}

// door is the way to the memory of a heap of a process.
type door interface {
	io.ReaderAt
	io.Closer
	sparse
	Size() int64
}

func (t *process) Base() uint64 { return t.base }

// View shows a part of the memory where the door can: see Viewer.
func (t *process) View(offset, bytes int64) []byte {
	if v, ok := t.door.(Viewer); ok {
		return v.View(offset, bytes)
	}
	return nil
}

func (t *process) Description() Description { return t.description }

func (p proc) open(o Options) (*process, error) {
	f, err := p.find(o)
	if err != nil {
		return nil, err
	}
	t := &process{base: f.Base, description: Description{Kind: KindProcess, PID: p.pid, Program: p.program(), Heap: f.Name}}
	if f.path != "" {
		file, err := p.openMemoryFile(f, &descriptors{proc: p})
		if err == nil {
			t.door, t.description.Door = memoryFile{file: file, view: newView(file)}, doorHeapFile
			if f.Backing == layout.BackingMemfd.String() {
				t.description.Door = doorMemfd
			}
			return t, nil
		}
		if f.Base == 0 {
			return nil, p.explain("look into", err)
		}
	}
	memory, err := p.openMemory(f)
	if err != nil {
		return nil, err
	}
	t.door, t.description.Door = memory, memory.door()
	return t, nil
}

// openMemory opens the way that needs no file.
func (p proc) openMemory(f found) (memoryRange, error) {
	maps, err := readMaps(p.dir)
	if err != nil {
		return memoryRange{}, p.explain("look into", err)
	}
	m := newProcessMemory(p)
	if m.denied != nil {
		m.Close()
		return memoryRange{}, p.refused("look into", m.denied)
	}
	if f.reserve == 0 {
		if id, ok := recognise(m.headerAt(f.Base), f.Base); ok {
			f.reserve = id.Reserve
		}
	}
	return memoryRange{processMemory: m, base: f.Base, size: f.reach(maps)}, nil
}

// otherProcess is a heap of a process that can be stopped.
type otherProcess struct {
	*process
	proc    proc
	started uint64 // tells it from another process that got its id later
	mapped  bool   // when it was opened: it may merely hold a heap's file
	inode   uint64 // of what it had mapped where the heap begins

	lock sync.Mutex
	held *hold // by the latest Stop
}

var errHeldAlready = errors.New("it is being held already: Resume first")

// Stop holds the process still: see Stopper.
func (t *otherProcess) Stop(ctx context.Context) (Stopped, error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.held != nil && !t.held.over() {
		return nil, &StopError{PID: t.proc.pid, Because: errHeldAlready}
	}
	if err := t.stillThere(); err != nil {
		return nil, err
	}
	held, err := t.proc.hold(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.unchanged(); err != nil {
		held.Resume()
		return nil, err
	}
	t.held = held
	return held, nil
}

// unchanged fails when the process has ended, even if another one has its id now.
func (t *otherProcess) unchanged() error {
	s, err := t.proc.stat()
	if err != nil || s.started != t.started || s.state == "Z" {
		return &NotFoundError{PID: t.proc.pid, Ended: true}
	}
	return nil
}

// stillThere fails when the process has ended, has closed the heap or has become another program. Its memory file can be read
// all the same, and would look like a heap that has come to rest.
func (t *otherProcess) stillThere() error {
	if err := t.unchanged(); err != nil || !t.mapped {
		return err
	}
	if inode, mapped := t.mapping(); !mapped || inode != t.inode {
		return &NotFoundError{PID: t.proc.pid, Closed: true}
	}
	return nil
}

// mapping is what the process has mapped where the heap begins.
func (t *otherProcess) mapping() (inode uint64, mapped bool) {
	maps, err := readMaps(t.proc.dir)
	if err != nil {
		return t.inode, t.mapped // it has ended, or all that is known is what was
	}
	for _, m := range maps {
		if m.start <= t.base && t.base < m.end {
			return m.inode, true
		}
	}
	return 0, false
}

// Close lets the process go on and lets go of it.
func (t *otherProcess) Close() error {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.held != nil {
		t.held.Resume()
	}
	return t.process.Close()
}
