package inspect

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// blockIndex numbers a heap's blocks: those of the slabs, then the spans, then the guarded blocks. So a set of blocks takes a
// bit for each, however many there are.
type blockIndex struct {
	heap   *Heap
	starts []uint32 // by slab: the number of its first block
	spans  uint32   // number of the first span
	guards uint32   // number of the first guarded block
	total  uint32
	live   bitset
	views  []slabView // by slab
	// What is copied, where nothing can be viewed: seals are read while the words of another block are being visited.
	seal, content []byte
}

// slabView is the memory of a slab where it lies.
type slabView struct {
	data  []byte
	asked bool // the door was asked for it
}

func newBlockIndex(h *Heap) (*blockIndex, error) {
	x := &blockIndex{heap: h, starts: make([]uint32, len(h.slabs)+1), views: make([]slabView, len(h.slabs))}
	next := uint64(0)
	for i, s := range h.slabs {
		x.starts[i] = uint32(next)
		next += uint64(s.carved())
	}
	if next += uint64(len(h.spans)) + layout.GuardSlots; next > math.MaxUint32 {
		return nil, fmt.Errorf("the heap has %d blocks: more than %d can't be numbered", next, uint32(math.MaxUint32))
	}
	x.total = uint32(next)
	x.guards = x.total - layout.GuardSlots
	x.spans = x.guards - uint32(len(h.spans))
	x.starts[len(h.slabs)] = x.spans
	x.live = newBitset(x.total)
	return x, nil
}

// fill finds out which blocks are live.
func (x *blockIndex) fill(visit func(b *liveBlock)) error {
	h := x.heap
	l := liveReader{heap: h}
	for n, s := range h.slabs {
		if err := l.slab(s, func(index int, b liveBlock) { x.live.add(x.starts[n] + uint32(index)); visit(&b) }); err != nil {
			return err
		}
	}
	for n, s := range h.spans {
		if b, ok := s.live(); ok {
			x.live.add(x.spans + uint32(n))
			visit(&b)
		}
	}
	if h.guards != nil {
		for n := range h.guards.Slots {
			if b, ok := h.liveGuard(n); ok {
				x.live.add(x.guards + uint32(n))
				visit(&b)
			}
		}
	}
	return nil
}

// at is the live block that a word refers to: to its start, or to any of the bytes that were asked for.
func (x *blockIndex) at(word uint64) (i uint32, ok bool) {
	h := x.heap
	if page := (word - h.id.Data) / layout.PageBytes; page < uint64(len(h.slabOfPage)) {
		n := int(h.slabOfPage[page]) - 1
		if n < 0 {
			return x.spanAt(word)
		}
		s := h.slabs[n]
		offset := word - s.base
		index := offset / uint64(s.class.Stride)
		offset -= index * uint64(s.class.Stride)
		if index >= uint64(s.carved()) || offset >= uint64(s.class.Size) {
			return 0, false
		}
		i = x.starts[n] + uint32(index)
		return i, x.live.has(i) && (offset == 0 || offset < x.requested(n, int(index)))
	}
	if h.inGuardPages(word) {
		page := (word - h.id.GuardPages) / layout.PageBytes
		if page%2 == 1 && page/2 < layout.GuardSlots {
			i = x.guards + uint32(page/2)
			s := &h.guards.Slots[page/2]
			return i, x.live.has(i) && (word == s.Address || word-s.Address < s.Requested)
		}
	}
	return 0, false
}

func (x *blockIndex) spanAt(word uint64) (i uint32, ok bool) {
	spans := x.heap.spans
	low, high := 0, len(spans)
	for low < high {
		if middle := (low + high) / 2; spans[middle].base <= word {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return 0, false
	}
	i = x.spans + uint32(low-1)
	b, _ := spans[low-1].live()
	return i, x.live.has(i) && (word == b.address || word-b.address < b.bytes)
}

// slab is which slab a block's number lies in.
func (x *blockIndex) slab(i uint32) (n int) {
	low, high := 0, len(x.starts)
	for low < high {
		if middle := (low + high) / 2; x.starts[middle] <= i {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low - 1
}

// memory is a part of a slab: a copy in the buffer, where it can't be viewed.
func (x *blockIndex) memory(n int, offset, bytes uint64, buffer *[]byte) []byte {
	h, v := x.heap, &x.views[n]
	s := h.slabs[n]
	if !v.asked {
		v.asked = true
		if viewer, ok := h.target.(target.Viewer); ok {
			v.data = viewer.View(int64(s.base-h.id.Base), int64(s.carved())*int64(s.class.Stride))
		}
	}
	if v.data != nil {
		return v.data[offset : offset+bytes]
	}
	return x.read(s.base+offset, bytes, buffer)
}

// read copies memory. What can't be read is zeros: a block whose words can't be seen refers to nothing.
func (x *blockIndex) read(address, bytes uint64, buffer *[]byte) []byte {
	if uint64(cap(*buffer)) < bytes {
		*buffer = make([]byte, bytes)
	}
	data := (*buffer)[:bytes]
	if err := x.heap.read(data, address); err != nil {
		clear(data)
	}
	return data
}

// requested is how many bytes of a block were asked for: what its seal says, or all of it.
func (x *blockIndex) requested(n, index int) uint64 {
	h := x.heap
	s := h.slabs[n]
	size := uint64(s.class.Size)
	if !h.sealed() {
		return size
	}
	at := uint64(index) * uint64(s.class.Stride)
	seal := layout.Seal(binary.LittleEndian.Uint64(x.memory(n, at+size, layout.SealBytes, &x.seal)))
	if !seal.Belongs(s.base+at, h.id.Secret) || !seal.State().Live() {
		return size
	}
	return min(uint64(seal.Size()), size)
}

// words calls visit with each whole word of a block that lies in the heap's range.
func (x *blockIndex) words(i uint32, visit func(word uint64)) {
	switch {
	case i < x.spans:
		n := x.slab(i)
		s := x.heap.slabs[n]
		index := int(i - x.starts[n])
		bytes := x.requested(n, index) &^ 7
		x.scan(x.memory(n, uint64(index)*uint64(s.class.Stride), bytes, &x.content), visit)
	case i < x.guards:
		b, _ := x.heap.spans[i-x.spans].live()
		for at := uint64(0); at < b.bytes&^7; at += pieceBytes {
			x.scan(x.read(b.address+at, min(pieceBytes, b.bytes&^7-at), &x.content), visit)
		}
	default:
		s := &x.heap.guards.Slots[i-x.guards]
		x.scan(x.read(s.Address, s.Requested&^7, &x.content), visit)
	}
}

// scan calls visit with each word that lies in the heap's range.
func (x *blockIndex) scan(bytes []byte, visit func(word uint64)) {
	base, reserve := x.heap.id.Base, x.heap.id.Reserve
	for len(bytes) >= 8 {
		if word := binary.LittleEndian.Uint64(bytes); word-base < reserve {
			visit(word)
		}
		bytes = bytes[8:]
	}
}

// block is what is known of a block; ok is false when it is not live any more.
func (x *blockIndex) block(i uint32) (b liveBlock, ok bool) {
	h := x.heap
	switch {
	case i >= x.guards:
		return h.liveGuard(int(i - x.guards))
	case i >= x.spans:
		return h.spans[i-x.spans].live()
	}
	n := x.slab(i)
	s := h.slabs[n]
	index := int(i - x.starts[n])
	at := uint64(index) * uint64(s.class.Stride)
	if !h.sealed() {
		return h.liveBlock(s, index, 0), true
	}
	seal := layout.Seal(binary.LittleEndian.Uint64(x.memory(n, at+uint64(s.class.Size), layout.SealBytes, &x.seal)))
	b = h.liveBlock(s, index, seal)
	return b, b.why == sealUnreadable || seal.State().Live()
}
