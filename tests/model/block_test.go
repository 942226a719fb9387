package model

import (
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// kind is which of the allocator's functions a block came from, and so which takes it back.
type kind int

const (
	fromAlloc  kind = iota // a []byte: Free
	fromMalloc             // an address: FreePointer
	fromTriples
	fromPairs
)

// triple and pair are what Make makes slices of: one whose size is no power of two, one that is larger than its alignment.
type (
	triple [3]byte
	pair   struct {
		key   uint64
		value uint32
		flags [4]byte
	}
)

const (
	tripleBytes = int(unsafe.Sizeof(triple{}))
	pairBytes   = int(unsafe.Sizeof(pair{}))
)

// block is a live block, as the model knows it.
type block struct {
	start   unsafe.Pointer
	size    int
	kind    kind
	stamp   uint64 // what its pattern is made of: no two blocks have the same
	span    bool   // it has pages of its own
	aligned bool   // by more than 8: which class it is of is not known
	stride  uint64 // what it takes of a slab, if the heap is sealed
	freed   uint64 // after how many frees it came to be held back
}

func (b *block) address() uint64 { return uint64(uintptr(b.start)) }

func (b *block) bytes() []byte { return unsafe.Slice((*byte)(b.start), b.size) }

func (b *block) String() string {
	return fmt.Sprintf("block at %#x of %d bytes (kind %d, span %v, aligned %v)", b.address(), b.size, b.kind, b.span, b.aligned)
}

// free gives the block back by the function that its kind calls for.
func (b *block) free(h *allocator.Heap, c choices) error {
	switch b.kind {
	case fromAlloc:
		if c.below(4, "re-slice") == 0 { // from the front: the capacity still tells the size
			return h.Free(b.bytes()[:c.below(b.size+1, "length")])
		}
		return h.Free(b.bytes())
	case fromTriples:
		return allocator.FreeSlice(h, unsafe.Slice((*triple)(b.start), b.size/tripleBytes))
	case fromPairs:
		return allocator.FreeSlice(h, unsafe.Slice((*pair)(b.start), b.size/pairBytes))
	default:
		return h.FreePointer(b.start)
	}
}

// The pattern: each word is that of its place in its block, so that bytes that moved show as well as bytes that changed.

const stampStep = 0x9e3779b97f4a7c15

func (b *block) word(i int) uint64 { return (b.stamp + uint64(i)) * stampStep }

func (b *block) fill() {
	words := unsafe.Slice((*uint64)(b.start), b.size/8)
	for i := range words {
		words[i] = b.word(i)
	}
	for i := len(words) * 8; i < b.size; i++ {
		b.bytes()[i] = b.byteAt(i)
	}
}

func (b *block) byteAt(i int) byte { return byte(b.word(i/8) >> (i % 8 * 8)) }

// verify compares the first n bytes with the pattern.
func (b *block) verify(n int) error {
	if b.size == 0 {
		return nil
	}
	return b.verifyFrom(0, n)
}

// glance is verify for the beginning and the end of the block, where neighbours reach.
func (b *block) glance() error {
	const reach = 256
	if b.size <= 2*reach {
		return b.verify(b.size)
	}
	if err := b.verifyFrom(0, reach); err != nil {
		return err
	}
	return b.verifyFrom((b.size-reach)&^7, b.size)
}

func (b *block) verifyFrom(from, to int) error {
	words := unsafe.Slice((*uint64)(b.start), b.size/8)
	for i := from / 8; i < to/8; i++ {
		if words[i] != b.word(i) {
			return fmt.Errorf("%s: the word at +%d is %#x, was %#x", b, i*8, words[i], b.word(i))
		}
	}
	for i := to &^ 7; i < to; i++ {
		if found := b.bytes()[i]; found != b.byteAt(i) {
			return fmt.Errorf("%s: the byte at +%d is %#x, was %#x", b, i, found, b.byteAt(i))
		}
	}
	return nil
}
