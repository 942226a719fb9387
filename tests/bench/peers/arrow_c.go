//go:build cgo

package peers

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

// arrowC is Arrow's mallocator: C's calloc by cgo, and a map from the aligned block to what calloc gave.
type arrowC struct{ memory *mallocator.Mallocator }

func openArrowC() (tasks, closer, error) {
	m := mallocator.NewMallocator()
	return over[[]byte]{arrowC{m}}, func() error {
		if left := m.AllocatedBytes(); left != 0 {
			return fmt.Errorf("arrow: %d bytes are still live", left)
		}
		return nil
	}, nil
}

func (a arrowC) pair(n, size int) {
	for range n {
		a.memory.Free(a.memory.Allocate(size))
	}
}

func (a arrowC) fill(blocks [][]byte, size int) {
	for i := range blocks {
		blocks[i] = a.memory.Allocate(size)
	}
}

func (a arrowC) drain(blocks [][]byte, order []int32) {
	for _, i := range order {
		a.memory.Free(blocks[i])
		blocks[i] = nil
	}
}

func (a arrowC) replace(blocks [][]byte, steps []step) {
	for _, s := range steps {
		if b := blocks[s.place]; b != nil {
			a.memory.Free(b)
		}
		blocks[s.place] = a.memory.Allocate(int(s.size))
	}
}

func (a arrowC) replay(blocks [][]byte, tape []event) {
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
