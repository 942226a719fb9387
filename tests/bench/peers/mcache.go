package peers

import "github.com/bytedance/gopkg/lang/mcache"

// mcacheSlices is bytedance's mcache: a sync.Pool for each power of two, over Go's heap. There is no realloc.
type mcacheSlices struct{}

func openMcache() (tasks, closer, error) {
	return over[[]byte]{mcacheSlices{}}, func() error { return nil }, nil
}

func (mcacheSlices) pair(n, size int) {
	for range n {
		mcache.Free(mcache.Malloc(size))
	}
}

func (mcacheSlices) fill(blocks [][]byte, size int) {
	for i := range blocks {
		blocks[i] = mcache.Malloc(size)
	}
}

func (mcacheSlices) drain(blocks [][]byte, order []int32) {
	for _, i := range order {
		mcache.Free(blocks[i])
		blocks[i] = nil
	}
}

func (mcacheSlices) replace(blocks [][]byte, steps []step) {
	for _, s := range steps {
		if b := blocks[s.place]; b != nil { // mcache would keep an empty slice
			mcache.Free(b)
		}
		blocks[s.place] = mcache.Malloc(int(s.size))
	}
}

func (mcacheSlices) replay(blocks [][]byte, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			blocks[e.place] = mcache.Malloc(int(e.size))
		case resize:
			old := blocks[e.place]
			if int(e.size) <= cap(old) {
				blocks[e.place] = old[:e.size]
				continue
			}
			b := mcache.Malloc(int(e.size))
			copy(b, old)
			mcache.Free(old)
			blocks[e.place] = b
		case release:
			mcache.Free(blocks[e.place])
			blocks[e.place] = nil
		}
	}
}
