package inspect

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect/target"
)

// withoutData is a heap's memory without what its users keep in it. Of blocks it shows the words that the allocator wrote: the
// seals, and the marks before aligned blocks. Everything else of them reads as zeros: data, slack and poison, what is left
// of freed blocks, guarded blocks.
//
// A seal that was written over is shown as it is: up to eight bytes of whoever overran it.
type withoutData struct {
	source io.ReaderAt
	heap   *Heap
}

// ReadAt reads as io.ReaderAt says.
func (w withoutData) ReadAt(p []byte, offset int64) (int, error) {
	n, err := w.source.ReadAt(p, offset)
	h := w.heap
	start := h.id.Base + uint64(offset)
	at := start
	for end := start + uint64(n); at < end; {
		if at < h.id.GuardPages { // metadata
			at = min(end, h.id.GuardPages)
			continue
		}
		next := min(end, at&^(layout.PageBytes-1)+layout.PageBytes)
		if failed := w.page(p[at-start:next-start], at); failed != nil {
			return 0, failed
		}
		at = next
	}
	return n, err
}

// page clears the part of a page that begins at an address, but for the allocator's words.
func (w withoutData) page(part []byte, at uint64) error {
	h := w.heap
	keep := window{at: at, from: append([]byte(nil), part...), to: part}
	clear(part)
	if at < h.id.Data || !h.sealed() {
		return nil // guarded blocks have no seals
	}
	if s := h.slabAt(at); s != nil {
		return w.slab(s, keep)
	}
	if s := h.spanAt(at); s != nil {
		if seal, ok := s.sealAt(uint64(h.id.SealBytes)); ok {
			keep.word(seal)
		}
	}
	return nil
}

// slab brings back the allocator's words in a part of a slab.
func (w withoutData) slab(s *Slab, keep window) error {
	stride, end := uint64(s.class.Stride), keep.at+uint64(len(keep.to))
	for i := (keep.at - s.base) / stride; i < uint64(s.carved()) && s.blockAddress(int(i)) < end; i++ {
		block := s.blockAddress(int(i))
		keep.word(block + uint64(s.class.Size))
		mark, err := w.mark(s, block)
		if err != nil {
			return err
		}
		if mark != 0 {
			keep.word(mark)
		}
	}
	return nil
}

// mark is where the mark before the user's part of an aligned block lies; 0: the block has none.
func (w withoutData) mark(s *Slab, block uint64) (uint64, error) {
	h := w.heap
	var word [layout.SealBytes]byte
	size := uint64(s.class.Size)
	if err := w.read(word[:], block+size); err != nil {
		return 0, err
	}
	seal := layout.Seal(binary.LittleEndian.Uint64(word[:]))
	if !seal.Belongs(block, h.id.Secret) || !seal.State().Live() || !seal.State().Aligned() || uint64(seal.Size()) > size {
		return 0, nil
	}
	data := make([]byte, size+layout.SealBytes)
	if err := w.read(data, block); err != nil {
		return 0, err
	}
	whole := report.Sealed{Address: block, Secret: h.id.Secret, Bytes: data}
	if offset := whole.AlignedAt(int(seal.Size())); offset > 0 {
		return block + uint64(offset) - layout.SealBytes, nil
	}
	return 0, nil
}

func (w withoutData) read(p []byte, address uint64) error {
	n, err := w.source.ReadAt(p, int64(address-w.heap.id.Base))
	if n < len(p) && !errors.Is(err, io.EOF) {
		return err
	}
	clear(p[n:])
	return nil
}

// sealAt is where the span's seal lies, if it has one.
func (s *Span) sealAt(sealBytes uint64) (address uint64, ok bool) {
	if s.held || s.State != layout.SpanLive || s.Pages == 0 || s.Pages > uint64(s.pages) || s.SealBytes(sealBytes) == 0 {
		return 0, false
	}
	return s.base + s.Pages*layout.PageBytes - layout.SealBytes, true
}

// window is a range of memory that is cleared, and what it held.
type window struct {
	at       uint64
	from, to []byte
}

// word brings back the bytes of a word that lie in the window.
func (w window) word(address uint64) {
	for i := range uint64(layout.SealBytes) {
		if k := address + i - w.at; k < uint64(len(w.to)) {
			w.to[k] = w.from[k]
		}
	}
}

// sealExtents are the parts of the heap's data that hold seals.
func (h *Heap) sealExtents() (extents []target.Extent) {
	add := func(start, bytes uint64) {
		extents = append(extents, target.Extent{Offset: int64(start - h.id.Base), Bytes: int64(bytes)})
	}
	if !h.sealed() {
		return nil
	}
	for _, s := range h.slabs {
		add(s.base, uint64(s.pages)*layout.PageBytes)
	}
	for _, s := range h.spans {
		if seal, ok := s.sealAt(uint64(h.id.SealBytes)); ok {
			add(seal/layout.PageBytes*layout.PageBytes, layout.PageBytes)
		}
	}
	return extents
}

// missing is why the users' bytes of the heap are not there; empty: they are.
func (h *Heap) missing() string {
	if h.blind {
		return missing
	}
	return ""
}

const missing = "the bytes of blocks are not in the snapshot: it was taken with --metadata"
