package peers

import "modernc.org/memory"

// modernc is modernc.org/memory as it is, which one goroutine alone may use.
type modernc struct{ memory memory.Allocator }

func openModernc() (tasks, closer, error) {
	m := new(modernc)
	return over[uintptr]{m}, m.memory.Close, nil
}

func (m *modernc) pair(n, size int) {
	for range n {
		p, err := m.memory.UintptrMalloc(size)
		must(err)
		must(m.memory.UintptrFree(p))
	}
}

func (m *modernc) fill(blocks []uintptr, size int) {
	for i := range blocks {
		p, err := m.memory.UintptrMalloc(size)
		must(err)
		blocks[i] = p
	}
}

func (m *modernc) drain(blocks []uintptr, order []int32) {
	for _, i := range order {
		must(m.memory.UintptrFree(blocks[i]))
	}
}

func (m *modernc) replace(blocks []uintptr, steps []step) {
	for _, s := range steps {
		must(m.memory.UintptrFree(blocks[s.place]))
		p, err := m.memory.UintptrMalloc(int(s.size))
		must(err)
		blocks[s.place] = p
	}
}

func (m *modernc) replay(blocks []uintptr, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			p, err := m.memory.UintptrMalloc(int(e.size))
			must(err)
			blocks[e.place] = p
		case resize:
			p, err := m.memory.UintptrRealloc(blocks[e.place], int(e.size))
			must(err)
			blocks[e.place] = p
		case release:
			must(m.memory.UintptrFree(blocks[e.place]))
		}
	}
}
