package peers

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// glassheap by its pointer API, as C code that was translated to Go uses an allocator.
type glassheap struct{ heap *allocator.Heap }

func openGlassheap(mode allocator.Mode) func() (tasks, closer, error) {
	return func() (tasks, closer, error) {
		h, err := allocator.New(allocator.Options{Name: "bench", Mode: mode})
		if err != nil {
			return nil, nil, err
		}
		return over[unsafe.Pointer]{glassheap{h}}, h.Close, nil
	}
}

func (g glassheap) pair(n, size int) {
	for range n {
		p, err := g.heap.Malloc(size)
		must(err)
		must(g.heap.FreePointer(p))
	}
}

func (g glassheap) fill(blocks []unsafe.Pointer, size int) {
	for i := range blocks {
		p, err := g.heap.Malloc(size)
		must(err)
		blocks[i] = p
	}
}

func (g glassheap) drain(blocks []unsafe.Pointer, order []int32) {
	for _, i := range order {
		must(g.heap.FreePointer(blocks[i]))
	}
}

func (g glassheap) replace(blocks []unsafe.Pointer, steps []step) {
	for _, s := range steps {
		must(g.heap.FreePointer(blocks[s.place]))
		p, err := g.heap.Malloc(int(s.size))
		must(err)
		blocks[s.place] = p
	}
}

func (g glassheap) replay(blocks []unsafe.Pointer, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			p, err := g.heap.Malloc(int(e.size))
			must(err)
			blocks[e.place] = p
		case resize:
			p, err := g.heap.ReallocPointer(blocks[e.place], int(e.size))
			must(err)
			blocks[e.place] = p
		case release:
			must(g.heap.FreePointer(blocks[e.place]))
		}
	}
}
