package allocator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Leak is what one place in the program has allocated and not freed.
type Leak struct {
	Blocks    uint64
	Bytes     uint64     // that were asked for
	Allocated *Operation // one of the allocations; nil: not recorded, because the heap was not audited then
}

// Leaks groups the live blocks by the stack that allocated them, the most bytes first. In a heap that was not audited they
// are one group. A plain heap can't tell its live blocks: the answer is nil. While other goroutines use the heap, the
// answer is from slightly different moments.
func (h *Heap) Leaks() []Leak {
	if h.closed.Load() || !h.sealed {
		return nil
	}
	return h.leaks()
}

func (h *Heap) leaks() []Leak {
	h.lockPages()
	defer h.unlockPages()
	groups := map[layout.StackRef]*Leak{}
	add := func(r *layout.Record, recorded bool, bytes uint64) {
		ref := layout.StackRef(0)
		if recorded {
			ref = r.AllocStack
		}
		g := groups[ref]
		if g == nil {
			g = &Leak{}
			if recorded {
				g.Allocated = h.operation(r.AllocGoroutine, r.AllocSequence, ref)
			}
			groups[ref] = g
		}
		g.Blocks++
		g.Bytes += bytes
	}
	for offset := uint64(0); offset < h.dataUsed.Load(); offset += layout.PageBytes {
		switch e := *h.pageEntry(offset); {
		case e.Before() != 0:
		case e.Kind() == layout.PageSlab:
			h.liveBlocks(h.slabOf(e), add)
		case e.Kind() == layout.PageSpan:
			if s := at[layout.Span](h, h.header().Identity.Descriptors+e.Descriptor()); s.State == layout.SpanLive {
				add(&s.Record, s.Recorded == layout.SpanRecorded, s.Requested)
			}
		}
	}
	if h.guardsReady {
		for i := range h.guardPool().Slots {
			if s := &h.guardPool().Slots[i]; s.State == layout.GuardLive {
				add(&s.Record, true, s.Requested)
			}
		}
	}
	leaks := make([]Leak, 0, len(groups))
	for _, g := range groups {
		leaks = append(leaks, *g)
	}
	slices.SortFunc(leaks, func(a, b Leak) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Blocks, a.Blocks))
	})
	return leaks
}

// liveBlocks calls visit for each live block of a slab. The pages' lock is held, so the slab stays.
func (h *Heap) liveBlocks(s *layout.Slab, visit func(r *layout.Record, recorded bool, bytes uint64)) {
	size := h.class[uint8(s.Bin)].size
	for i := range uint32(s.Carved) {
		address := s.Base + uint64(i)*uint64(s.Stride)
		seal := layout.Seal(*sealAt(h.pointer(address), size))
		if *h.link(s, i) != layout.LinkOut || !seal.Belongs(address, h.secret) || !seal.State().Live() {
			continue
		}
		r := h.record(s, i)
		visit(r, r != nil && seal.State().Recorded(), uint64(seal.Size()))
	}
}

// LeakError is what Close returns when blocks were never freed.
type LeakError struct {
	Heap   string
	Blocks uint64
	Leaks  []Leak // by who allocated them, the most bytes first; empty in a plain heap
}

// mostLeaksShown is how many groups the text of a LeakError shows.
const mostLeaksShown = 10

// Error says how many blocks were live and, as far as the heap was audited, where they come from.
func (e *LeakError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "glassheap: heap %q was closed with %d live %s", e.Heap, e.Blocks, blocksWord(e.Blocks))
	for i, l := range e.Leaks {
		switch {
		case l.Allocated == nil:
		case i == mostLeaksShown:
			fmt.Fprintf(&text, "\n   and %d more places", len(e.Leaks)-i)
			return text.String()
		default:
			fmt.Fprintf(&text, "\n   %d bytes in %d %s", l.Bytes, l.Blocks, blocksWord(l.Blocks))
			text.WriteString(l.Allocated.text("allocated by"))
		}
	}
	return text.String()
}

func blocksWord(n uint64) string {
	if n == 1 {
		return "block"
	}
	return "blocks"
}
