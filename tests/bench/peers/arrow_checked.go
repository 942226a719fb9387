package peers

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// arrowChecked is Arrow's CheckedAllocator over its default one: it knows who allocated each live block.
type arrowChecked struct{ memory *memory.CheckedAllocator }

func openArrowChecked() (tasks, closer, error) {
	m := memory.NewCheckedAllocator(memory.NewGoAllocator())
	return over[[]byte]{arrowChecked{m}}, func() error {
		if left := m.CurrentAlloc(); left != 0 {
			return fmt.Errorf("arrow: %d bytes are still live", left)
		}
		return nil
	}, nil
}

func (a arrowChecked) pair(n, size int) {
	for range n {
		a.memory.Free(a.memory.Allocate(size))
	}
}

func (a arrowChecked) fill(blocks [][]byte, size int) {
	for i := range blocks {
		blocks[i] = a.memory.Allocate(size)
	}
}

func (a arrowChecked) drain(blocks [][]byte, order []int32) {
	for _, i := range order {
		a.memory.Free(blocks[i])
		blocks[i] = nil
	}
}

func (a arrowChecked) replace(blocks [][]byte, steps []step) {
	for _, s := range steps {
		if b := blocks[s.place]; b != nil {
			a.memory.Free(b)
		}
		blocks[s.place] = a.memory.Allocate(int(s.size))
	}
}

func (a arrowChecked) replay(blocks [][]byte, tape []event) {
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
