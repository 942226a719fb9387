package peers

import "sync/atomic"

// goMake is Go's own heap. A free is to forget the block; the collector's work counts as far as it delays the loop.
type goMake struct{}

// sink makes what the pairs allocate escape. The slice it points to is each loop's own, so that two goroutines do not write
// to one cache line.
var sink atomic.Pointer[ownSink]

type ownSink struct {
	block []byte
	_     [128]byte
}

func openMake() (tasks, closer, error) {
	return over[[]byte]{goMake{}}, func() error { return nil }, nil
}

func (goMake) pair(n, size int) {
	own := new(ownSink)
	sink.Store(own)
	for range n {
		own.block = make([]byte, size)
	}
}

func (goMake) fill(blocks [][]byte, size int) {
	for i := range blocks {
		blocks[i] = make([]byte, size)
	}
}

func (goMake) drain(blocks [][]byte, order []int32) {
	for _, i := range order {
		blocks[i] = nil
	}
}

func (goMake) replace(blocks [][]byte, steps []step) {
	for _, s := range steps {
		blocks[s.place] = make([]byte, s.size)
	}
}

func (goMake) replay(blocks [][]byte, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			blocks[e.place] = make([]byte, e.size)
		case resize:
			old := blocks[e.place]
			if int(e.size) <= cap(old) {
				blocks[e.place] = old[:e.size]
				continue
			}
			b := make([]byte, e.size)
			copy(b, old)
			blocks[e.place] = b
		case release:
			blocks[e.place] = nil
		}
	}
}
