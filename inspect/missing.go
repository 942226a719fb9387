package inspect

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// Missing is what a core, or a snapshot of one, lacks of what a heap has in use. It reads as zeros and is never taken for damage.
type Missing struct {
	Blocks        uint64 `json:"blocks"`         // live or free, spans included, that could not be looked at
	Bytes         uint64 `json:"bytes"`          // of slabs and spans
	MetadataBytes uint64 `json:"metadata_bytes"` // without which nothing that is said is certain
}

// Missing says what the target lacks of the heap; nil: nothing.
func (h *Heap) Missing() *Missing {
	p, ok := h.target.(target.Partial)
	if !ok || !h.sound {
		return nil
	}
	m := Missing{}
	for _, r := range h.capture.regions() {
		m.MetadataBytes += bytesOf(p.Missing(h.extent(r.start, uint64(len(r.bytes)))))
	}
	for _, s := range h.slabs {
		m.Bytes += h.missingOf(s.base, uint64(s.carved())*uint64(s.class.Stride), h.sealed())
	}
	for _, s := range h.spans {
		if !s.held {
			m.Bytes += h.missingOf(s.base, s.usable(), h.lacksSpan(s))
		}
	}
	if m == (Missing{}) {
		return nil
	}
	return &m
}

// missingOf is how much is missing of a range; what is doubtful counts where there must have been something else than zeros.
func (h *Heap) missingOf(start, bytes uint64, doubtful bool) uint64 {
	p := h.target.(target.Partial)
	e := h.extent(start, bytes)
	n := bytesOf(p.Missing(e))
	if doubtful {
		n += bytesOf(p.Doubtful(e))
	}
	return n
}

// countMissing counts the blocks that looked wrong only because their bytes are missing, and the spans of which the end is.
func (h *Heap) countMissing(m *Missing, suspects []suspect) {
	for _, s := range suspects {
		if s.index != slabTail && h.lacksBlock(s.slab, s.index) {
			m.Blocks++
		}
	}
	for _, s := range h.spans {
		if !s.held && h.lacksSpan(s) {
			m.Blocks++
		}
	}
}

func (h *Heap) lacksBlock(s *Slab, index int) bool {
	return h.lacks(s.blockAddress(index), uint64(s.class.Stride))
}

// lacksSpan reports whether bytes that tell of damage to a span are missing: those behind what was asked for.
func (h *Heap) lacksSpan(s *Span) bool {
	end := min(s.Offset+s.Requested, s.usable())
	return h.lacks(s.base+end, s.usable()-end)
}

// usable is how many bytes of the span's pages can be accessed.
func (s *Span) usable() uint64 { return min(s.Pages, uint64(s.pages)) * layout.PageBytes }

// lacks reports whether some of these bytes are missing, or are zeros that nobody may have read.
func (h *Heap) lacks(start, bytes uint64) bool {
	p, ok := h.target.(target.Partial)
	if !ok || bytes == 0 {
		return false
	}
	e := h.extent(start, bytes)
	return len(p.Missing(e)) > 0 || len(p.Doubtful(e)) > 0
}

func (h *Heap) extent(start, bytes uint64) target.Extent {
	return target.Extent{Offset: int64(start - h.id.Base), Bytes: int64(bytes)}
}

func bytesOf(extents []target.Extent) (total uint64) {
	for _, e := range extents {
		total += uint64(e.Bytes)
	}
	return total
}

// String says what is missing, and what that means for an answer; empty: nothing is.
func (m *Missing) String() string {
	if m == nil {
		return ""
	}
	size := func(bytes uint64) string { return humanize.IBytes(bytes) }
	switch {
	case m.MetadataBytes > 0:
		return fmt.Sprintf("%s of the heap's metadata and %s of its blocks are missing and read as zeros: nothing that is said is certain", size(m.MetadataBytes), size(m.Bytes))
	case m.Blocks > 0:
		return fmt.Sprintf("%s of the heap's blocks are missing (gcore and Delve lose what lies behind a guard page, the kernel does not): %d %s could not be looked at", size(m.Bytes), m.Blocks, plural(int(m.Blocks), "block"))
	}
	return fmt.Sprintf("%s of the heap's blocks are missing and read as zeros (gcore and Delve lose what lies behind a guard page, the kernel does not)", size(m.Bytes))
}
