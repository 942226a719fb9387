package replay

import (
	"math"
	"unsafe"

	"github.com/glassheap/glassheap/internal/mtrace"
)

// block is one block's life, from the alloc that the recording shows to the free.
type block struct {
	number     uint64 // tells its contents
	line       int    // of the alloc
	caller     mtrace.CallerID
	birthplace int // goroutine that allocates it

	// These belong to the goroutine that has the block in the round.
	at   unsafe.Pointer // off-heap
	size int
}

// bytes is the block's memory.
func (b *block) bytes() []byte { return unsafe.Slice((*byte)(b.at), b.size) }

// step does one thing with a block. After a failure the block is as the heap left it.
func (w *worker) step(s *step) *failure {
	b, size := s.block, int(min(s.size, math.MaxInt))
	switch s.kind {
	case stepAlloc:
		at, err := w.heap.Malloc(size)
		if err != nil {
			return refused(s, "alloc", err)
		}
		b.at, b.size = at, size
		w.fill(b, 0)
	case stepFree:
		if f := w.verify(s, b.size, "before free"); f != nil {
			return f
		}
		if err := w.heap.FreePointer(b.at); err != nil {
			return refused(s, "free", err)
		}
	case stepRealloc:
		if f := w.verify(s, b.size, "before realloc"); f != nil {
			return f
		}
		at, err := w.heap.ReallocPointer(b.at, size)
		if err != nil {
			return refused(s, "realloc", err)
		}
		kept := min(b.size, size)
		b.at, b.size = at, size
		if f := w.verify(s, kept, "after realloc"); f != nil {
			return f
		}
		w.fill(b, kept)
	}
	return nil
}

// fill writes the block's pattern from offset on.
func (w *worker) fill(b *block, offset int) {
	if !w.skipContents {
		fillPattern(b.bytes(), b.number, offset)
	}
}

// verify compares the first n bytes of the block with its pattern.
func (w *worker) verify(s *step, n int, when string) *failure {
	if w.skipContents {
		return nil
	}
	b := s.block
	offset := damagedAt(b.bytes()[:n], b.number)
	if offset < 0 {
		return nil
	}
	return &failure{line: s.line, block: b, err: &DamageError{
		Line: s.line, When: when, Traced: s.address, Address: uint64(uintptr(b.at)), Size: b.size, Offset: offset,
		Found: b.bytes()[offset], Expected: patternAt(b.number, offset), AllocLine: b.line,
	}}
}
