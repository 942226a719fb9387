package inspect

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

func isEnd(err error) bool { return errors.Is(err, io.EOF) }

// decode makes a Heap of captured metadata. The capture must not be taken anew while the Heap is in use.
func decode(t target.Target, c *capture) *Heap {
	h := &Heap{target: t, capture: c, blind: t.Description().Metadata}
	if !c.sound {
		return h
	}
	h.classes = layout.Classes(c.id.Geometry, c.id.Mode.SealBytes())
	h.decodeBins()
	h.decodeCaches()
	h.decodeArenas()
	h.walkLists()
	h.placeCached()
	h.decodeJournals()
	h.decodeGuards()
	h.decodeStacks()
	h.placeAllRecords()
	return h
}

func (h *Heap) decodeBins() {
	for i := range h.classes {
		address := uint64(h.id.Bins) + uint64(i)*h.format.bin.bytes
		b, _ := h.format.bin.get(h.capture.bins, address)
		h.bins = append(h.bins, &Bin{Bin: b, Address: Address(address)})
	}
}

func (h *Heap) decodeCaches() {
	r, f := h.capture.caches, h.format
	for at := uint64(0); uint64(len(r.bytes))-at >= f.cache.bytes; at += f.cache.bytes {
		i, address := len(h.caches), r.start+at
		c := &cache{address: Address(address)}
		f.cache.fill(&c.Cache, r.bytes[at:])
		for bin := range h.classes {
			at := address + f.magazines.at(bin)
			m, _ := f.magazine.get(r, at)
			c.magazines = append(c.magazines, &magazine{Magazine: m, address: Address(at), name: fmt.Sprintf("Magazine %d of cache %d", bin, i)})
		}
		h.caches = append(h.caches, c)
	}
	for n := len(h.caches); n > 1 && h.caches[n-1].neverMade(); n-- {
		h.caches = h.caches[:n-1]
	}
}

// neverMade reports whether nothing of the cache was ever written: a count that is too high led to it.
func (c *cache) neverMade() bool {
	return c.ID == 0 && c.Ready == 0 && !slices.ContainsFunc(c.magazines, func(m *magazine) bool { return !m.unused() })
}

// piece is a part of the descriptors that something was found to own: a struct of a kind, at a page, or on a list (page -1).
type piece struct {
	start, bytes uint64
	kind         string
	page         int
	held         bool // it is on a list whose lock is held
}

// name is how outputs call it. It is made when it is needed: there are many pieces.
func (p piece) name() string {
	switch {
	case p.page >= 0:
		return fmt.Sprintf("%s %d", p.kind, p.page)
	case p.kind == "Magazine":
		return "magazine at " + Address(p.start).String()
	}
	return "retired " + strings.ToLower(p.kind) + " at " + Address(p.start).String()
}

func (h *Heap) pageEntry(page int) layout.PageEntry {
	e, _ := get[layout.PageEntry](h.capture.pageMap, h.capture.pageMap.start+uint64(page)*layout.PageEntryBytes)
	return e
}

// decodeArenas walks the page map: every page of every arena belongs to one run, and every entry of a run must say so.
func (h *Heap) decodeArenas() {
	arenas := len(h.capture.pageMap.bytes) / (layout.PagesPerArena * int(layout.PageEntryBytes))
	for arenas > 0 && h.neverUsed(arenas-1) {
		arenas--
	}
	h.slabOfPage = make([]int32, arenas*layout.PagesPerArena)
	hugeHead, hugeLeft := 0, 0
	for i := range arenas {
		address := h.capture.arenas.start + uint64(i)*h.format.arena.bytes
		raw, _ := h.format.arena.get(h.capture.arenas, address)
		a := &arena{Arena: raw, address: Address(address)}
		a.facts = layout.ArenaFacts{ID: uint32(i), Base: h.id.Data + uint64(i)*layout.ArenaBytes, Held: h.header.PagesLock.Held()}
		h.arenas = append(h.arenas, a)
		switch {
		case a.State == layout.ArenaHugeTail && hugeLeft > 0:
			a.facts.HugeHead = uint64(hugeHead)
			hugeLeft--
			h.expectNoRuns(a, i*layout.PagesPerArena)
		case a.State == layout.ArenaHugeTail:
			h.problem(a.name(), "State", a.address, a.State.String(), "an arena of its own", "no huge span that begins before it reaches it")
			h.expectNoRuns(a, i*layout.PagesPerArena)
		case a.State == layout.ArenaHuge:
			if s := h.decodeHuge(a, i); s != nil {
				hugeHead, hugeLeft = i, int(a.facts.HugeArenas)-1
			}
		case a.State == layout.ArenaPages:
			h.decodeRuns(a, i*layout.PagesPerArena)
		default:
			h.expectNoRuns(a, i*layout.PagesPerArena)
		}
	}
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

// slabsAtATime is how many Slabs are allocated together.
const slabsAtATime = 256

// decodeSlab decodes the slab that begins at page and returns how many pages it has.
func (h *Heap) decodeSlab(a *arena, page, end int, e layout.PageEntry) int {
	address := h.id.Descriptors + e.Descriptor()
	raw, ok := h.format.slab.get(h.capture.descriptors, address)
	bin := e.Bin()
	// The bin stands in the entry and in the slab. Where they differ, the one that the slab's other fields fit is believed.
	if ok && raw.Bin != bin && int(raw.Bin) < len(h.classes) && raw.Stride == h.classes[raw.Bin].Stride {
		h.pageProblem(page, e, layout.MakePageEntry(layout.PageSlab, raw.Bin, 0, e.Descriptor()), "the bin that its slab belongs to")
		bin = raw.Bin
	}
	if !ok || e.Before() != 0 || int(bin) >= len(h.classes) {
		h.pageProblem(page, e, 0, "an entry begins a run of a bin that exists, and its slab lies among the descriptors")
		return 1
	}
	if len(h.fresh) == 0 {
		h.fresh = make([]Slab, slabsAtATime)
	}
	s := &h.fresh[0]
	*s = Slab{Slab: raw, Address: Address(address), page: page, base: h.id.Data + uint64(page)*layout.PageBytes, bin: int(bin), class: &h.classes[bin]}
	bytes := h.format.slabDescriptorBytes(s.class.Capacity)
	if address%layout.DescriptorGrain != 0 || address+bytes > h.capture.descriptors.end() || !s.credible() || !h.oneRun(address, s.Base == s.base) {
		h.pageProblem(page, e, 0, "the slab that it names lies whole among the descriptors, and begins here")
		return 1
	}
	from := address + h.format.slab.bytes - h.capture.descriptors.start
	behind := from + 2*uint64(s.class.Capacity)
	s.links, s.tail = h.capture.descriptors.bytes[from:behind], h.capture.descriptors.bytes[behind:from+bytes-h.format.slab.bytes]
	s.pages = min(int(s.class.SlabPages), end-page)
	for k := 1; k < s.pages; k++ {
		if found, expected := h.pageEntry(page+k), layout.MakePageEntry(layout.PageSlab, bin, k, e.Descriptor()); found != expected {
			h.pageProblem(page+k, found, expected, fmt.Sprintf("it is page %d of the slab that begins at page %d", k, page))
		}
	}
	h.fresh = h.fresh[1:]
	h.slabs = append(h.slabs, s)
	for k := range s.pages {
		h.slabOfPage[page+k] = int32(len(h.slabs))
	}
	h.bins[bin].slabs = append(h.bins[bin].slabs, s)
	h.pieces = append(h.pieces, piece{start: address, bytes: bytes, kind: "Slab", page: page})
	a.facts.Slabs++
	return s.pages
}

// credible reports whether enough of the struct fits the page that names it, should one of its fields be damaged.
func (s *Slab) credible() bool {
	fits := 0
	for _, fit := range []bool{s.Base == s.base, int(s.Bin) == s.bin, s.Stride == s.class.Stride, uint32(s.Capacity) == s.class.Capacity} {
		if fit {
			fits++
		}
	}
	return fits >= 3
}

// decodeSpan decodes the span that begins at page and returns how many pages it has, with its guard pages.
func (h *Heap) decodeSpan(a *arena, page, end int, e layout.PageEntry) int {
	s := h.spanOf(page, e)
	if s == nil {
		return 1
	}
	s.pages = h.runLength(page, end, e)
	guard := layout.MakePageEntry(layout.PageGuard, 0, 0, e.Descriptor())
	// Where the struct knows of more pages, and its guard page lies behind them, it is an entry between that is damaged.
	if told := int(min(s.Pages, uint64(end-page))); told > s.pages && page+told < end && h.pageEntry(page+told) == guard {
		for k := s.pages; k < told; k++ {
			if found, expected := h.pageEntry(page+k), layout.MakePageEntry(layout.PageSpan, 0, k, e.Descriptor()); found != expected {
				h.pageProblem(page+k, found, expected, fmt.Sprintf("it is page %d of the span that begins at page %d", k, page))
			}
		}
		s.pages = told
	}
	if next := page + s.pages; next < end && h.pageEntry(next) == guard {
		s.guards = h.runLength(next, end, guard)
	}
	if s.State != layout.SpanQuarantined {
		a.facts.Spans++
	}
	return s.pages + s.guards
}

// decodeHuge decodes the huge span that begins in arena i; nil: there is none.
func (h *Heap) decodeHuge(a *arena, i int) *Span {
	first := i * layout.PagesPerArena
	e := h.pageEntry(first)
	for page := first + 1; page < first+layout.PagesPerArena; page++ {
		if e := h.pageEntry(page); e != 0 {
			h.pageProblem(page, e, 0, "in a huge span only the first page has an entry")
		}
	}
	if e.Kind() != layout.PageSpan {
		h.pageProblem(first, e, layout.PageEntry(layout.PageSpan), "the arena begins a huge span")
		return nil
	}
	s := h.spanOf(first, e)
	if s == nil {
		return nil
	}
	s.huge = true
	a.facts.Spans++
	needed := (s.Pages + uint64(s.GuardPages) + layout.PagesPerArena - 1) / layout.PagesPerArena
	a.facts.HugeArenas = min(max(needed, 1), uint64(h.id.ArenasMax))
	s.pages = int(a.facts.HugeArenas) * layout.PagesPerArena
	return s
}

// spanOf decodes the span that an entry names; nil when it names none.
func (h *Heap) spanOf(page int, e layout.PageEntry) *Span {
	address := h.id.Descriptors + e.Descriptor()
	raw, ok := h.format.span.get(h.capture.descriptors, address)
	if !ok || e != layout.MakePageEntry(layout.PageSpan, 0, 0, e.Descriptor()) {
		h.pageProblem(page, e, 0, "an entry begins a run, and its span lies among the descriptors")
		return nil
	}
	base := h.id.Data + uint64(page)*layout.PageBytes
	if !h.oneRun(address, raw.Base == base) {
		h.pageProblem(page, e, 0, "the span that it names begins here")
		return nil
	}
	s := &Span{Span: raw, Address: Address(address), page: page, base: base}
	h.spans = append(h.spans, s)
	h.pieces = append(h.pieces, piece{start: address, bytes: h.format.span.bytes, kind: "Span", page: page})
	return s
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

// pageProblem records that the entry of a page is not what it has to be.
func (h *Heap) pageProblem(page int, found, expected layout.PageEntry, why string) {
	held := h.header.PagesLock.Held()
	h.problems.add(held, func() Finding {
		address := h.capture.pageMap.start + uint64(page)*layout.PageEntryBytes
		return fromVerdict(CodeMetadata, fmt.Sprintf("PageEntry %d", page), address,
			layout.Verdict{Field: "(entry)", Found: layout.Hex(uint64(found)), Expected: layout.Hex(uint64(expected)), Why: why, UnderWay: held})
	})
}

// problem records damage of something that the pages' lock guards.
func (h *Heap) problem(name, field string, address Address, found, expected, why string) {
	h.problemUnder(h.header.PagesLock.Held(), name, field, address, found, expected, why)
}

// problemUnder records damage of something whose lock is held or not.
func (h *Heap) problemUnder(held bool, name, field string, address Address, found, expected, why string) {
	h.problems.add(held, func() Finding {
		return fromVerdict(CodeMetadata, name, uint64(address), layout.Verdict{Field: field, Found: found, Expected: expected, Why: why, UnderWay: held})
	})
}
