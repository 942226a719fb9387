package allocator

import (
	"math/rand/v2"

	"github.com/glassheap/glassheap/allocator/layout"
)

// class is what the fast path needs of a bin, in the Go heap, so that one cache line and no off-heap load gives it.
type class struct {
	reciprocal uint64 // ⌈2⁴⁰ / stride⌉: turns an offset in a slab into a block's index without dividing
	stride     uint32
	size       uint32 // bytes a user may write; the seal follows
	last       uint32 // offset of the slab's last block
	bin        uint8
	phase      uint64 // where sampling begins, see sample.go
}

const reciprocalBits = 40

// binOf is the bin that serves n bytes, of those that a bin serves.
func (h *Heap) binOf(n int) uint8 {
	return h.classOf[(uint(n)+layout.ClassGrain-1)/layout.ClassGrain]
}

// classTable maps sizes to bins: entry ⌈size / 8⌉.
type classTable [layout.MaxClassBytes/layout.ClassGrain + 1]uint8

func newClasses(figures []layout.Class) (classes [256]class, table classTable, most int) {
	next := 0
	for i, f := range figures {
		classes[i] = class{
			reciprocal: (1<<reciprocalBits + uint64(f.Stride) - 1) / uint64(f.Stride),
			stride:     f.Stride,
			size:       f.Size,
			last:       (f.Capacity - 1) * f.Stride,
			bin:        uint8(i),
			phase:      rand.Uint64(),
		}
		for ; next*layout.ClassGrain <= int(f.Size); next++ {
			table[next] = uint8(i)
		}
		most = int(f.Size)
	}
	return classes, table, most
}

// index is the index of the block at offset in its slab, and whether a block starts there.
func (c *class) index(offset uint32) (uint32, bool) {
	i := uint32(uint64(offset) * c.reciprocal >> reciprocalBits)
	return i, i*c.stride == offset && offset <= c.last
}
