package peers

import "github.com/glassheap/glassheap/allocator"

// glassheapSlice is glassheap by its slice API, as Go code uses it. Free then also compares the size.
type glassheapSlice struct{ heap *allocator.Heap }

func openGlassheapSlice(mode allocator.Mode) func() (tasks, closer, error) {
	return func() (tasks, closer, error) {
		h, err := allocator.New(allocator.Options{Name: "bench", Mode: mode})
		if err != nil {
			return nil, nil, err
		}
		return over[[]byte]{glassheapSlice{h}}, h.Close, nil
	}
}

func (g glassheapSlice) pair(n, size int) {
	for range n {
		b, err := g.heap.Alloc(size)
		must(err)
		must(g.heap.Free(b))
	}
}

func (g glassheapSlice) fill(blocks [][]byte, size int) {
	for i := range blocks {
		b, err := g.heap.Alloc(size)
		must(err)
		blocks[i] = b
	}
}

func (g glassheapSlice) drain(blocks [][]byte, order []int32) {
	for _, i := range order {
		must(g.heap.Free(blocks[i]))
	}
}

func (g glassheapSlice) replace(blocks [][]byte, steps []step) {
	for _, s := range steps {
		must(g.heap.Free(blocks[s.place]))
		b, err := g.heap.Alloc(int(s.size))
		must(err)
		blocks[s.place] = b
	}
}

func (g glassheapSlice) replay(blocks [][]byte, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			b, err := g.heap.Alloc(int(e.size))
			must(err)
			blocks[e.place] = b
		case resize:
			b, err := g.heap.Realloc(blocks[e.place], int(e.size))
			must(err)
			blocks[e.place] = b
		case release:
			must(g.heap.Free(blocks[e.place]))
		}
	}
}
