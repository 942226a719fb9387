package peers

import (
	"sync"

	"modernc.org/memory"
)

// moderncMutex is modernc.org/memory behind one mutex, as modernc.org/libc uses it; libc unlocks by defer, which costs a
// little more than here.
type moderncMutex struct {
	mutex  sync.Mutex
	memory memory.Allocator
}

func openModerncMutex() (tasks, closer, error) {
	m := new(moderncMutex)
	return over[uintptr]{m}, m.memory.Close, nil
}

func (m *moderncMutex) pair(n, size int) {
	for range n {
		m.mutex.Lock()
		p, err := m.memory.UintptrMalloc(size)
		m.mutex.Unlock()
		must(err)
		m.mutex.Lock()
		err = m.memory.UintptrFree(p)
		m.mutex.Unlock()
		must(err)
	}
}

func (m *moderncMutex) fill(blocks []uintptr, size int) {
	for i := range blocks {
		m.mutex.Lock()
		p, err := m.memory.UintptrMalloc(size)
		m.mutex.Unlock()
		must(err)
		blocks[i] = p
	}
}

func (m *moderncMutex) drain(blocks []uintptr, order []int32) {
	for _, i := range order {
		m.mutex.Lock()
		err := m.memory.UintptrFree(blocks[i])
		m.mutex.Unlock()
		must(err)
	}
}

func (m *moderncMutex) replace(blocks []uintptr, steps []step) {
	for _, s := range steps {
		m.mutex.Lock()
		err := m.memory.UintptrFree(blocks[s.place])
		m.mutex.Unlock()
		must(err)
		m.mutex.Lock()
		p, err := m.memory.UintptrMalloc(int(s.size))
		m.mutex.Unlock()
		must(err)
		blocks[s.place] = p
	}
}

func (m *moderncMutex) replay(blocks []uintptr, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			m.mutex.Lock()
			p, err := m.memory.UintptrMalloc(int(e.size))
			m.mutex.Unlock()
			must(err)
			blocks[e.place] = p
		case resize:
			m.mutex.Lock()
			p, err := m.memory.UintptrRealloc(blocks[e.place], int(e.size))
			m.mutex.Unlock()
			must(err)
			blocks[e.place] = p
		case release:
			m.mutex.Lock()
			err := m.memory.UintptrFree(blocks[e.place])
			m.mutex.Unlock()
			must(err)
		}
	}
}
