package peers

import (
	"math/bits"
	"sync"
)

// pools are what a program writes that has no allocator: a sync.Pool of slices for each power of two. They are kept by pointer,
// so that Put does not allocate.
type pools [32]sync.Pool

func openPools() (tasks, closer, error) {
	p := new(pools)
	for class := range p {
		p[class].New = func() any {
			b := make([]byte, 1<<class)
			return &b
		}
	}
	return over[*[]byte]{p}, func() error { return nil }, nil
}

// class is the power of two that holds so many bytes.
func class(size int) int { return bits.Len(uint(size - 1)) }

func (p *pools) pair(n, size int) {
	for range n {
		b := p[class(size)].Get().(*[]byte)
		*b = (*b)[:size]
		p[class(cap(*b))].Put(b)
	}
}

func (p *pools) fill(blocks []*[]byte, size int) {
	for i := range blocks {
		b := p[class(size)].Get().(*[]byte)
		*b = (*b)[:size]
		blocks[i] = b
	}
}

func (p *pools) drain(blocks []*[]byte, order []int32) {
	for _, i := range order {
		b := blocks[i]
		p[class(cap(*b))].Put(b)
		blocks[i] = nil
	}
}

func (p *pools) replace(blocks []*[]byte, steps []step) {
	for _, s := range steps {
		if b := blocks[s.place]; b != nil {
			p[class(cap(*b))].Put(b)
		}
		b := p[class(int(s.size))].Get().(*[]byte)
		*b = (*b)[:s.size]
		blocks[s.place] = b
	}
}

func (p *pools) replay(blocks []*[]byte, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			b := p[class(int(e.size))].Get().(*[]byte)
			*b = (*b)[:e.size]
			blocks[e.place] = b
		case resize:
			old := blocks[e.place]
			if int(e.size) <= cap(*old) {
				*old = (*old)[:e.size]
				continue
			}
			b := p[class(int(e.size))].Get().(*[]byte)
			*b = (*b)[:e.size]
			copy(*b, *old)
			p[class(cap(*old))].Put(old)
			blocks[e.place] = b
		case release:
			b := blocks[e.place]
			p[class(cap(*b))].Put(b)
			blocks[e.place] = nil
		}
	}
}
