package peers

import "github.com/apache/arrow-go/v18/arrow/memory"

// arrowGo is Arrow's default allocator: Go's heap, with each block at a multiple of 64 bytes. Its Free does nothing.
type arrowGo struct{ memory *memory.GoAllocator }

func openArrowGo() (tasks, closer, error) {
	m := memory.NewGoAllocator()
	return over[[]byte]{arrowGo{m}}, func() error { return nil }, nil
}

func (a arrowGo) pair(n, size int) {
	for range n {
		a.memory.Free(a.memory.Allocate(size))
	}
}

func (a arrowGo) fill(blocks [][]byte, size int) {
	for i := range blocks {
		blocks[i] = a.memory.Allocate(size)
	}
}

func (a arrowGo) drain(blocks [][]byte, order []int32) {
	for _, i := range order {
		a.memory.Free(blocks[i])
		blocks[i] = nil
	}
}

func (a arrowGo) replace(blocks [][]byte, steps []step) {
	for _, s := range steps {
		if b := blocks[s.place]; b != nil {
			a.memory.Free(b)
		}
		blocks[s.place] = a.memory.Allocate(int(s.size))
	}
}

func (a arrowGo) replay(blocks [][]byte, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			blocks[e.place] = a.memory.Allocate(int(e.size))
		case resize:
			blocks[e.place] = a.memory.Reallocate(int(e.size), blocks[e.place])
		case release:
			a.memory.Free(blocks[e.place])
			blocks[e.place] = nil
		}
	}
}
