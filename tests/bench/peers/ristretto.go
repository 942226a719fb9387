//go:build cgo && jemalloc

package peers

import (
	"fmt"

	"github.com/dgraph-io/ristretto/v2/z"
)

// ristretto is its z.Calloc, over jemalloc: it clears the block and keeps a list of what is live. There is no realloc.
type ristretto struct{}

func openRistretto() (tasks, closer, error) {
	before := z.NumAllocBytes()
	return over[[]byte]{ristretto{}}, func() error {
		if left := z.NumAllocBytes() - before; left != 0 {
			return fmt.Errorf("z.Calloc: %d bytes are still live", left)
		}
		return nil
	}, nil
}

const ristrettoTag = "bench"

func (ristretto) pair(n, size int) {
	for range n {
		z.Free(z.Calloc(size, ristrettoTag))
	}
}

func (ristretto) fill(blocks [][]byte, size int) {
	for i := range blocks {
		blocks[i] = z.Calloc(size, ristrettoTag)
	}
}

func (ristretto) drain(blocks [][]byte, order []int32) {
	for _, i := range order {
		z.Free(blocks[i])
	}
}

func (ristretto) replace(blocks [][]byte, steps []step) {
	for _, s := range steps {
		z.Free(blocks[s.place])
		blocks[s.place] = z.Calloc(int(s.size), ristrettoTag)
	}
}

func (ristretto) replay(blocks [][]byte, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			blocks[e.place] = z.Calloc(int(e.size), ristrettoTag)
		case resize:
			b := z.Calloc(int(e.size), ristrettoTag)
			copy(b, blocks[e.place])
			z.Free(blocks[e.place])
			blocks[e.place] = b
		case release:
			z.Free(blocks[e.place])
		}
	}
}
