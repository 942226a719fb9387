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

// slabsAtATime is how many Slabs are allocated together.
const slabsAtATime = 256

// decodeSlab decodes the slab that begins at page and returns how many pages it has.
func (h *Heap) decodeSlab(a *arena, page, end int, e layout.PageEntry) int {
	address := h.id.Descriptors + e.Descriptor()
	if len(h.fresh) == 0 {
		h.fresh = make([]Slab, slabsAtATime)
	}
	s := &h.fresh[0]
	ok := h.format.slab.into(&s.Slab, h.capture.descriptors, address)
	bin := e.Bin()
	// The bin stands in the entry and in the slab. Where they differ, the one that the slab's other fields fit is believed.
	if ok && s.Bin != bin && int(s.Bin) < len(h.classes) && s.Stride == h.classes[s.Bin].Stride {
		h.pageProblem(page, e, layout.MakePageEntry(layout.PageSlab, s.Bin, 0, e.Descriptor()), "the bin that its slab belongs to")
		bin = s.Bin
	}
	if !ok || e.Before() != 0 || int(bin) >= len(h.classes) {
		h.pageProblem(page, e, 0, "an entry begins a run of a bin that exists, and its slab lies among the descriptors")
		*s = Slab{}
		return 1
	}
	s.Address, s.page, s.base = Address(address), page, h.id.Data+uint64(page)*layout.PageBytes
	s.bin, s.class = int(bin), &h.classes[bin]
	bytes := h.format.slabDescriptorBytes(s.class.Capacity)
	if address%layout.DescriptorGrain != 0 || address+bytes > h.capture.descriptors.end() || !s.credible() || !h.oneRun(address, s.Base == s.base) {
		h.pageProblem(page, e, 0, "the slab that it names lies whole among the descriptors, and begins here")
		*s = Slab{}
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
