package inspect

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/glassheap/glassheap/allocator/layout"
)

// walkLists follows every list of the heap. Each link is looked up before it is followed, and what was visited is remembered,
// so the worst list ends at its first wrong link.
func (h *Heap) walkLists() {
	last := h.capture.descriptors.start
	for _, s := range h.slabs {
		last = max(last, uint64(s.Address))
	}
	slabs := make(slabIndex, (last-h.capture.descriptors.start)/layout.DescriptorGrain+1)
	for i, s := range h.slabs {
		slabs[(uint64(s.Address)-h.capture.descriptors.start)/layout.DescriptorGrain] = int32(i) + 1
	}
	for _, b := range h.bins {
		h.walkSlabs(b, "Partial", b.Partial, slabs, func(s *Slab) *bool { return &s.onPartial })
		b.empty = h.walkSlabs(b, "Empty", b.Empty, slabs, func(s *Slab) *bool { return &s.onEmpty })
		h.walkRetiredSlabs(b)
		h.walkDepot(b, "Depot", b.Depot)
		h.walkDepot(b, "DepotEmpty", b.DepotEmpty)
	}
	h.walkRetiredSpans()
	h.walkSpanQuarantine()
	h.checkPieces()
}

// slabIndex finds slabs by where their descriptors lie: 1 + index into the heap's slabs for each grain; 0: no active slab.
type slabIndex []int32

func (h *Heap) slabByStruct(slabs slabIndex, address uint64) *Slab {
	offset := address - h.capture.descriptors.start
	if i := offset / layout.DescriptorGrain; offset%layout.DescriptorGrain == 0 && i < uint64(len(slabs)) && slabs[i] != 0 {
		return h.slabs[slabs[i]-1]
	}
	return nil
}

// walkSlabs follows a bin's list of slabs and marks them as on it. It returns how many it found.
func (h *Heap) walkSlabs(b *Bin, list string, link layout.Ref[layout.Slab], slabs slabIndex, mark func(*Slab) *bool) int {
	n := 0
	owner, field, at := b.name(), list, b.Address
	previous := layout.Ref[layout.Slab](0)
	for link != 0 {
		s := h.slabByStruct(slabs, uint64(link))
		switch {
		case s == nil || s.bin != int(b.ID) && h.bins[s.bin] != b:
			h.listProblem(b, owner, field, at, uint64(link), "an active slab of this bin")
			return n
		case *mark(s):
			h.listProblem(b, owner, field, at, uint64(link), "a slab that the list has not come by yet: it runs in a circle")
			return n
		}
		*mark(s) = true
		n++
		if s.Previous != previous {
			h.listProblem(b, s.name(), "Previous", s.Address, uint64(s.Previous), Address(previous).String())
		}
		owner, field, at = s.name(), "Next", s.Address
		previous, link = link, s.Next
	}
	return n
}

// listProblem records that a link, the field of a struct, leads where it may not.
func (h *Heap) listProblem(b *Bin, owner, field string, at Address, found uint64, expected string) {
	b.listsBroken = true
	held := b.Lock.Held() || h.header.PagesLock.Held()
	h.problems.add(held, func() Finding {
		return fromVerdict(CodeList, owner, uint64(at), layout.Verdict{
			Field: field, Found: layout.Hex(found), Expected: expected, Why: "what a list of " + b.name() + " may lead to", UnderWay: held,
		})
	})
}

// walkRetiredSlabs follows the list of descriptors that wait to become slabs again.
func (h *Heap) walkRetiredSlabs(b *Bin) {
	owner, at := b.name(), b.Address
	field := "Retired"
	bytes := h.format.slabDescriptorBytes(h.classes[b.slot(h)].Capacity)
	seen := map[layout.Ref[layout.Slab]]bool{}
	for link := b.Retired; link != 0; {
		s, ok := h.format.slab.get(h.capture.descriptors, uint64(link))
		if !ok || s.State != layout.SlabRetired || seen[link] || uint64(link)%layout.DescriptorGrain != 0 {
			h.listProblem(b, owner, field, at, uint64(link), "a retired slab that the list has not come by yet")
			return
		}
		seen[link] = true
		b.retired++
		name := "retired slab at " + Address(link).String()
		h.pieces = append(h.pieces, piece{start: uint64(link), bytes: bytes, kind: "Slab", page: -1})
		h.placeRecords(title(name), Address(link), b.slot(h), s.Records)
		h.judged(name, "Slab", Address(link), func(j *layout.Judge) {
			s.JudgeRetired(j, uint32(b.slot(h)), b.Lock.Held() || h.header.PagesLock.Held())
		})
		owner, field, at = name, "Next", Address(link)
		link = s.Next
	}
}

// slot is the bin's place in the table, which its ID should tell.
func (b *Bin) slot(h *Heap) int {
	return int((uint64(b.Address) - uint64(h.id.Bins)) / h.format.bin.bytes)
}

// walkDepot follows a bin's list of magazines: the full ones, or the spare ones.
func (h *Heap) walkDepot(b *Bin, list string, link layout.Ref[layout.Magazine]) {
	owner, field, at := b.name(), list, b.Address
	seen := map[layout.Ref[layout.Magazine]]bool{}
	for link != 0 {
		raw, ok := h.format.magazine.get(h.capture.descriptors, uint64(link))
		if !ok || seen[link] || uint64(link)%layout.DescriptorGrain != 0 {
			h.listProblem(b, owner, field, at, uint64(link), "a magazine that the list has not come by yet")
			return
		}
		seen[link] = true
		m := &magazine{Magazine: raw, address: Address(link), name: "magazine at " + Address(link).String(), depot: true}
		h.pieces = append(h.pieces, piece{start: uint64(link), bytes: h.format.magazine.bytes, kind: "Magazine", page: -1, held: b.Lock.Held()})
		facts := layout.MagazineFacts{Bin: uint32(b.slot(h)), InDepot: true, Held: b.Lock.Held() || h.header.PagesLock.Held()}
		if list == "Depot" {
			facts.Limit = h.classes[b.slot(h)].Magazine
			b.depot = append(b.depot, m)
		} else {
			b.spare++
			m.Tally &^= 0xff // whatever it says, none of its blocks count
		}
		h.judged(m.name, "Magazine", m.address, func(j *layout.Judge) { raw.Judge(j, facts) })
		owner, field, at = m.name, "Next", m.address
		link = raw.Next
	}
}

// walkRetiredSpans follows the list of descriptors that wait to become spans again.
func (h *Heap) walkRetiredSpans() {
	seen := map[layout.Ref[layout.Span]]bool{}
	owner, field, at := "Header", "RetiredSpans", h.id.Base
	for link := h.header.RetiredSpans; link != 0; {
		s, ok := h.format.span.get(h.capture.descriptors, uint64(link))
		if !ok || s.State != layout.SpanRetired || seen[link] || uint64(link)%layout.DescriptorGrain != 0 {
			h.problems.add(h.header.PagesLock.Held(), func() Finding {
				return fromVerdict(CodeList, owner, at, layout.Verdict{
					Field: field, Found: layout.Hex(uint64(link)), Expected: "a retired span that the list has not come by yet", Why: "what the list may lead to", UnderWay: h.header.PagesLock.Held(),
				})
			})
			return
		}
		seen[link] = true
		name := "retired span at " + Address(link).String()
		h.pieces = append(h.pieces, piece{start: uint64(link), bytes: h.format.span.bytes, kind: "Span", page: -1})
		h.judged(name, "Span", Address(link), func(j *layout.Judge) { s.JudgeRetired(j, h.header.PagesLock.Held()) })
		owner, field, at = name, "Next", uint64(link)
		link = s.Next
	}
	h.retiredSpans = len(seen)
}

// walkSpanQuarantine follows the list of spans that were freed and are held back.
func (h *Heap) walkSpanQuarantine() {
	byStruct := map[uint64]*Span{}
	for _, s := range h.spans {
		byStruct[uint64(s.Address)] = s
	}
	q := &h.quarantined
	owner, field, at := "Header", "SpanQuarantine", h.id.Base
	for link := h.header.SpanQuarantine; link != 0; {
		s := byStruct[uint64(link)]
		if s == nil || s.held {
			h.problems.add(h.header.PagesLock.Held(), func() Finding {
				return fromVerdict(CodeList, owner, at, layout.Verdict{
					Field: field, Found: layout.Hex(uint64(link)), Expected: "a quarantined span that the list has not come by yet", Why: "what the list may lead to", UnderWay: h.header.PagesLock.Held(),
				})
			})
			return
		}
		s.held = true
		q.spans++
		q.pages += uint64(s.pages + s.guards)
		q.last = link
		owner, field, at = s.name(), "Next", uint64(link)
		link = s.Next
	}
}

// checkPieces expects that everything that was found among the descriptors lies side by side, from the first to the top.
func (h *Heap) checkPieces() {
	h.sortPieces()
	h.magazinesBetweenLists()
	h.sortPieces()
	at, last := h.id.Descriptors, piece{kind: "descriptors", page: 0}
	for _, p := range h.pieces {
		switch {
		case p.start < at:
			h.problemUnder(h.header.PagesLock.Held() || p.held || last.held, p.name(), "(place)", Address(p.start), "begins at "+layout.Hex(p.start),
				"behind "+last.name()+", which ends at "+layout.Hex(at), "no two structs share their bytes")
		case p.start > at:
			h.problem("descriptors", "(place)", Address(at), fmt.Sprintf("%d bytes that nothing owns", p.start-at), "a slab, span or magazine", "every descriptor is in use or on a list of those that wait")
		}
		if p.start+p.bytes > at {
			at, last = p.start+p.bytes, p
		}
	}
	h.descriptorBytes = at - h.id.Descriptors
}

func (h *Heap) sortPieces() {
	slices.SortFunc(h.pieces, func(a, b piece) int { return cmp.Compare(a.start, b.start) })
}

// magazinesBetweenLists finds the magazines that the holders of bins' locks have taken off one list and not put on the other
// yet. Each has one at most: where one bin has more of them, they are no accident of the moment that it was looked at, but
// may follow from a list that was being written.
func (h *Heap) magazinesBetweenLists() {
	const mostBetweenLists = 16
	holding := map[uint32]int{}
	for _, b := range h.bins {
		if b.Lock.Held() {
			holding[uint32(b.slot(h))] = 0
		}
	}
	if len(holding) == 0 {
		return
	}
	at, bytes := h.id.Descriptors, h.format.magazine.bytes
	fill := func(end uint64) {
		for ; end > at && end-at >= bytes; at += bytes {
			m, ok := h.format.magazine.get(h.capture.descriptors, at)
			n, held := holding[m.Bin]
			if !ok || !held {
				return
			}
			if holding[m.Bin]++; n > mostBetweenLists {
				return // what is there holds no magazines, but zeros for example
			}
			if n > 0 {
				h.problemUnder(true, "magazine at "+Address(at).String(), "(place)", Address(at), "on no list", "in the depot, or among the spare ones", "its bin's lock is held")
			}
			h.pieces = append(h.pieces, piece{start: at, bytes: bytes, kind: "Magazine", page: -1, held: true})
		}
	}
	for _, p := range slices.Clone(h.pieces) {
		fill(p.start)
		at = max(at, p.start+p.bytes)
	}
	fill(min(h.header.DescriptorsTop, h.capture.descriptors.end()))
}

// placeCached finds the slab and the block of every address in a magazine.
func (h *Heap) placeCached() {
	for i, c := range h.caches {
		if i >= int(h.header.CachesReady) {
			break // the one that was read beyond the count
		}
		for bin, m := range c.magazines {
			for k := range m.count() {
				entry := cachedBlock{place: PlaceCached}
				if k == m.count()-1 {
					entry.hand = int32(i) + 1
				}
				h.placeOne(h.bins[bin], m, k, entry)
			}
		}
	}
	for _, b := range h.bins {
		for _, m := range b.depot {
			for k := range m.count() {
				h.placeOne(b, m, k, cachedBlock{place: PlaceDepot})
			}
		}
	}
}

func (h *Heap) placeOne(b *Bin, m *magazine, k int, entry cachedBlock) {
	address := m.Blocks[k]
	s := h.slabAt(address)
	held := b.Lock.Held()
	entry.magazine, entry.entry = m, uint16(k)
	expected := ""
	if s == nil || h.bins[s.bin] != b {
		expected = "the address of a block of " + b.name()
	} else {
		expected = entry.locate(s, address)
	}
	if expected == "" {
		s.cached = append(s.cached, entry)
		return
	}
	h.problems.add(held, func() Finding {
		return fromVerdict(CodeMetadata, m.name, uint64(m.address), layout.Verdict{
			Field: entry.field(), Found: layout.Hex(address), Expected: expected, Why: "a magazine holds free blocks of its bin", UnderWay: held,
		})
	})
}

// locate fills in which block of a slab begins at address; expected says what should be there instead, if none does.
func (e *cachedBlock) locate(s *Slab, address uint64) (expected string) {
	offset := uint32(address - s.base)
	e.index = offset / s.class.Stride
	switch {
	case offset%s.class.Stride != 0 || e.index >= s.class.Capacity:
		return "the address of a block, not one inside it"
	case s.link(int(e.index)) != layout.LinkOut:
		return "a block that its slab gave out"
	}
	return ""
}
