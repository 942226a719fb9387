package allocator

import (
	"cmp"
	"slices"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// Leak is what one place in the program has allocated and not freed.
type Leak struct {
	Blocks    uint64
	Bytes     uint64     // that were asked for
	Samples   uint64     // recorded blocks that Blocks and Bytes are estimated from, in a heap with a ProfileRate; 0: they were counted
	Allocated *Operation // one of the allocations; nil: not recorded, because the heap was not audited then
}

// Leaks groups the live blocks by the stack that allocated them, the most bytes first. In a heap that was not audited they
// are one group; in one that samples (Options.ProfileRate), the numbers are estimates. A plain heap can't tell its live blocks: the answer is nil. While other goroutines use the heap, the
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
	groups := map[layout.StackRef]*leakGroup{}
	var all, seen tally
	add := func(r *layout.Record, recorded, large bool, bytes uint64) {
		ref := layout.StackRef(0)
		if recorded {
			ref = r.AllocStack
		}
		g := groups[ref]
		if g == nil {
			g = &leakGroup{}
			if recorded {
				g.Allocated = h.operation(r.AllocGoroutine, r.AllocSequence, ref)
			}
			groups[ref] = g
		}
		g.Blocks++
		g.Bytes += bytes
		if large {
			return // of these, sampling leaves none out
		}
		all.add(bytes)
		g.sampled.add(bytes)
		if recorded {
			seen.add(bytes)
		}
	}
	for offset := uint64(0); offset < h.dataUsed.Load(); offset += layout.PageBytes {
		switch e := *h.pageEntry(offset); {
		case e.Before() != 0:
		case e.Kind() == layout.PageSlab:
			h.liveBlocks(h.slabOf(e), add)
		case e.Kind() == layout.PageSpan:
			if s := at[layout.Span](h, h.header().Identity.Descriptors+e.Descriptor()); s.State == layout.SpanLive {
				add(&s.Record, s.Recorded == layout.SpanRecorded, true, s.Requested)
			}
		}
	}
	if h.guardsReady {
		pool := h.guardPool()
		for i := range pool.Slots {
			if s := &pool.Slots[i]; s.State == layout.GuardLive {
				add(&s.Record, true, false, s.Requested)
			}
		}
	}
	sampling := report.Sampling{Rate: h.sampledRate(), Live: all.blocks, Recorded: seen.blocks}
	leaks := make([]Leak, 0, len(groups))
	for _, g := range groups {
		if g.scale(sampling, all, seen); g.Blocks > 0 {
			leaks = append(leaks, g.Leak)
		}
	}
	slices.SortFunc(leaks, func(a, b Leak) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Blocks, a.Blocks))
	})
	return leaks
}

// liveBlocks calls visit for each live block of a slab. The pages' lock is held, so the slab stays.
func (h *Heap) liveBlocks(s *layout.Slab, visit func(r *layout.Record, recorded, large bool, bytes uint64)) {
	size := h.class[uint8(s.Bin)].size
	for i := range uint32(s.Carved) {
		address := s.Base + uint64(i)*uint64(s.Stride)
		seal := layout.Seal(*sealAt(h.pointer(address), size))
		if *h.link(s, i) != layout.LinkOut || !seal.Belongs(address, h.secret) || !seal.State().Live() {
			continue
		}
		r := h.record(s, i)
		visit(r, r != nil && seal.State().Recorded(), false, uint64(seal.Size()))
	}
}

// leakGroup is a Leak that is being counted.
type leakGroup struct {
	Leak
	sampled tally // in blocks that sampling may choose
}

type tally struct{ blocks, bytes uint64 }

func (t *tally) add(bytes uint64) {
	t.blocks++
	t.bytes += bytes
}

// scale makes an estimate of what sampling has recorded, and leaves out of the blocks that it did not choose those that the
// estimates stand for: of all there are, those that are recorded were seen.
func (g *leakGroup) scale(s report.Sampling, all, seen tally) {
	if s.Rate <= 1 {
		return
	}
	var about tally
	about.blocks, about.bytes = s.Scale(g.sampled.blocks, g.sampled.bytes)
	if g.Allocated == nil {
		about = tally{s.Rest(all.blocks, seen.blocks), s.Rest(all.bytes, seen.bytes)}
	} else {
		g.Samples = g.sampled.blocks
	}
	g.Blocks += about.blocks - g.sampled.blocks
	g.Bytes += about.bytes - g.sampled.bytes
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
	page := report.NewPage(&text, report.Style{})
	page.Printf("glassheap: heap %q was closed with %d live %s\n", e.Heap, e.Blocks, blocksWord(e.Blocks))
	for i, l := range e.Leaks {
		if l.Allocated == nil {
			continue
		}
		if i == mostLeaksShown {
			page.Printf("   and %d more places\n", len(e.Leaks)-i)
			break
		}
		about := ""
		if l.Samples > 0 {
			about = "about "
		}
		page.Printf("   %s%s in %d %s\n", about, report.Bytes(int64(l.Bytes)), l.Blocks, blocksWord(l.Blocks))
		page.Operation("   ", "allocated by", report.OperationLabel, l.Allocated.told())
	}
	return strings.TrimSuffix(text.String(), "\n")
}

func blocksWord(n uint64) string {
	if n == 1 {
		return "block"
	}
	return "blocks"
}
