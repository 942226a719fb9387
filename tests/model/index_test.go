package model

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// index knows where every live block of a heap lies, to see that no two of them overlap. A block is taken out before it is
// freed and put in after it was allocated, so this holds while others do the same.
type index struct {
	lock   sync.Mutex
	blocks []*block // by address
}

func (x *index) at(address uint64) int {
	i, _ := slices.BinarySearchFunc(x.blocks, address, func(b *block, address uint64) int { return cmp.Compare(b.address(), address) })
	return i
}

func (x *index) insert(b *block) error {
	x.lock.Lock()
	defer x.lock.Unlock()
	i := x.at(b.address())
	// A block of no bytes has an address that is nobody else's.
	if i < len(x.blocks) && x.blocks[i].address() < b.address()+uint64(max(1, b.size)) {
		return fmt.Errorf("%s overlaps the live %s", b, x.blocks[i])
	}
	if i > 0 && x.blocks[i-1].address()+uint64(x.blocks[i-1].size) > b.address() {
		return fmt.Errorf("%s overlaps the live %s", b, x.blocks[i-1])
	}
	x.blocks = slices.Insert(x.blocks, i, b)
	return nil
}

func (x *index) remove(b *block) {
	x.lock.Lock()
	defer x.lock.Unlock()
	i := x.at(b.address())
	x.blocks = slices.Delete(x.blocks, i, i+1)
}
