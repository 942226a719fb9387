package inspect

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator/layout"
)

func (h *Heap) pageEntry(page int) layout.PageEntry {
	e, _ := get[layout.PageEntry](h.capture.pageMap, h.capture.pageMap.start+uint64(page)*layout.PageEntryBytes)
	return e
}

// decodeArenas walks the page map: every page of every arena belongs to one run, and every entry of a run must say so.
func (h *Heap) decodeArenas() {
	n := len(h.capture.pageMap.bytes) / (layout.PagesPerArena * int(layout.PageEntryBytes))
	for n > 0 && h.neverUsed(n-1) {
		n--
	}
	h.arenas = make([]*arena, n)
	for i := range h.arenas {
		h.arenas[i] = h.arena(i)
	}
	h.slabOfPage = make([]int32, n*layout.PagesPerArena)
	ahead := h.decodeAhead()
	hugeHead, hugeLeft := 0, 0
	for i, a := range h.arenas {
		first := i * layout.PagesPerArena
		switch {
		case a.State == layout.ArenaHugeTail && hugeLeft > 0:
			a.facts.HugeHead = uint64(hugeHead)
			hugeLeft--
			h.expectNoRuns(a, first)
		case a.State == layout.ArenaHugeTail:
			h.problem(a.name(), "State", a.address, a.State.String(), "an arena of its own", "no huge span that begins before it reaches it")
			h.expectNoRuns(a, first)
		case a.State == layout.ArenaHuge:
			if s := h.decodeHuge(a, i); s != nil {
				hugeHead, hugeLeft = i, int(a.facts.HugeArenas)-1
			}
		case a.State == layout.ArenaPages && ahead != nil:
			h.join(ahead[i], first)
		case a.State == layout.ArenaPages:
			h.decodeRuns(a, first)
		case a.State == layout.ArenaRetained:
			a.facts.Dirty = layout.PagesPerArena
			h.expectNoRuns(a, first)
		default:
			h.expectNoRuns(a, first)
		}
	}
	for _, s := range h.slabs {
		h.bins[s.bin].slabs = append(h.bins[s.bin].slabs, s)
	}
}

func (h *Heap) arena(i int) *arena {
	address := h.capture.arenas.start + uint64(i)*h.format.arena.bytes
	a := &arena{address: Address(address)}
	h.format.arena.into(&a.Arena, h.capture.arenas, address)
	a.facts = layout.ArenaFacts{ID: uint32(i), Base: h.id.Data + uint64(i)*layout.ArenaBytes, Held: h.header.PagesLock.Held()}
	return a
}

// fewArenas are decoded sooner than other goroutines are started.
const fewArenas = 8

// decodeAhead decodes the runs of all arenas, each for itself, by several goroutines: what takes the time is to wait for memory.
// It is nil when there are few of them, or when anything is wrong: what is believed then depends on the runs before, and so does
// what is described.
func (h *Heap) decodeAhead() []*Heap {
	workers := min(runtime.GOMAXPROCS(0), len(h.arenas)/fewArenas)
	if workers < 2 {
		return nil
	}
	parts := make([]*Heap, len(h.arenas))
	var next atomic.Int64
	var wrong atomic.Bool
	var decoding sync.WaitGroup
	for range workers {
		decoding.Go(func() {
			var fresh []Slab
			for {
				i := int(next.Add(1)) - 1
				if i >= len(parts) || wrong.Load() {
					return
				}
				a := h.arenas[i]
				if a.State != layout.ArenaPages {
					continue
				}
				part := &Heap{target: h.target, capture: h.capture, classes: h.classes, slabOfPage: h.slabOfPage, fresh: fresh}
				part.decodeRuns(a, i*layout.PagesPerArena)
				if len(part.strays) > 0 || len(part.problems.described) > 0 {
					wrong.Store(true)
				}
				parts[i], fresh, part.fresh = part, part.fresh, nil
			}
		})
	}
	decoding.Wait()
	if wrong.Load() {
		clear(h.slabOfPage)
		for i, a := range h.arenas {
			*a = *h.arena(i)
		}
		return nil
	}
	slabs, spans := 0, 0
	for _, part := range parts {
		if part != nil {
			slabs, spans = slabs+len(part.slabs), spans+len(part.spans)
		}
	}
	h.slabs, h.spans, h.pieces = make([]*Slab, 0, slabs), make([]*Span, 0, spans), make([]piece, 0, slabs+spans)
	return parts
}

// join takes over what the runs of the arena whose first page is this one were found to be.
func (h *Heap) join(part *Heap, first int) {
	for page := first; page < first+layout.PagesPerArena; page++ {
		if h.slabOfPage[page] != 0 {
			h.slabOfPage[page] += int32(len(h.slabs))
		}
	}
	h.slabs = append(h.slabs, part.slabs...)
	h.spans = append(h.spans, part.spans...)
	h.pieces = append(h.pieces, part.pieces...)
}

// neverUsed reports whether neither the struct of an arena nor the page map says anything of it: a count that is too high led
// to it.
func (h *Heap) neverUsed(i int) bool {
	const entries = layout.PagesPerArena * layout.PageEntryBytes
	a, _ := h.format.arena.get(h.capture.arenas, h.capture.arenas.start+uint64(i)*h.format.arena.bytes)
	pages, _ := get[[entries]byte](h.capture.pageMap, h.capture.pageMap.start+uint64(i)*entries)
	return a == layout.Arena{} && pages == [entries]byte{}
}

// expectNoRuns expects that no page entry of an arena says anything.
func (h *Heap) expectNoRuns(a *arena, first int) {
	for page := first; page < first+layout.PagesPerArena; page++ {
		if e := h.pageEntry(page); e != 0 {
			h.pageProblem(page, e, 0, "nothing in an arena that is "+a.State.String()+" has an entry")
		}
	}
}

// decodeRuns walks the page runs of an arena, whose first page has the number first.
func (h *Heap) decodeRuns(a *arena, first int) {
	end := first + layout.PagesPerArena
	for page := first; page < end; {
		e := h.pageEntry(page)
		switch e.Kind() {
		case layout.PageFree, layout.PageDirty:
			if e != layout.PageEntry(e.Kind()) {
				h.pageProblem(page, e, layout.PageEntry(e.Kind()), "a free page belongs to nothing")
			}
			a.facts.Free++
			if e.Kind() == layout.PageDirty {
				a.facts.Dirty++
			}
			page++
		case layout.PageSlab:
			page += h.decodeSlab(a, page, end, e)
		case layout.PageSpan:
			page += h.decodeSpan(a, page, end, e)
		default:
			h.pageProblem(page, e, 0, "no run that ends in it begins before it")
			page++
		}
	}
}

// runLength is how many pages from page on belong to the run that e begins.
func (h *Heap) runLength(page, end int, e layout.PageEntry) int {
	n := 1
	for page+n < end && h.pageEntry(page+n) == layout.MakePageEntry(e.Kind(), e.Bin(), n, e.Descriptor()) {
		n++
	}
	return n
}

// oneRun reports whether the descriptor at an address may be that of the run which names it. One that says itself that it begins
// elsewhere may have a damaged base, but is believed of one run only: a page map can name it for every page.
func (h *Heap) oneRun(address uint64, begins bool) bool {
	if begins {
		return true
	}
	if h.strays[address] {
		return false
	}
	if h.strays == nil {
		h.strays = map[uint64]bool{}
	}
	h.strays[address] = true
	return true
}
