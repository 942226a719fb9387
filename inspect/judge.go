package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Judgement is one struct of the heap with the verdicts on its fields.
type Judgement struct {
	Name     string           `json:"name"` // "Slab 17"
	Type     string           `json:"type"` // "Slab"
	Address  Address          `json:"address"`
	Verdicts []layout.Verdict `json:"verdicts"`
}

// Wrong is how many fields do not hold what they should and can't be excused by an operation under way.
func (j Judgement) Wrong() (n int) {
	for _, v := range j.Verdicts {
		if !v.OK && !v.UnderWay {
			n++
		}
	}
	return n
}

// UnderWay is how many fields do not hold what they should, but may be changing just now.
func (j Judgement) UnderWay() (n int) {
	for _, v := range j.Verdicts {
		if v.UnderWay {
			n++
		}
	}
	return n
}

// judged remembers how to judge a struct that a list led to, for when verdicts are asked for.
func (h *Heap) judged(name, kind string, address Address, judge func(*layout.Judge)) {
	h.onLists = append(h.onLists, listed{name, kind, address, judge})
}

// listed is a struct that only a list leads to.
type listed struct {
	name, kind string
	address    Address
	judge      func(*layout.Judge)
}

// judgeHeader judges what comes before everything else: both identities. When neither is sound there is no more to judge.
func (h *Heap) judgeHeader(visit func(Judgement), all bool) {
	first, twin := &h.header.Identity, &h.header.Twin
	facts := h.identityFacts(h.target.Base(), layout.Hash(h.schema))
	if !h.sound {
		facts.SchemaHash = first.SchemaHash
	}
	base := h.id.Base
	if facts.Base != 0 {
		base = facts.Base
	}
	h.judgeStruct(visit, all, title("Header.Identity"), "Identity", base, func(j *layout.Judge) { first.Judge(j, facts) })
	h.judgeStruct(visit, all, title("Header.Twin"), "Identity", base, func(j *layout.Judge) {
		if h.sum == first.Checksum {
			twin.JudgeTwin(j, first, h.twinSum, h.sum)
		} else {
			twin.JudgeTwin(j, twin, h.twinSum, h.twinSum) // the first is the damaged one
		}
	})
}

// named is a struct that has a name in every output. It is asked when there is something to say: most structs are sound.
type named interface{ name() string }

// title is a name that was made already.
type title string

func (t title) name() string { return string(t) }

// judgeStruct judges one struct and hands on its verdicts: every one, or only those that are not as expected.
func (h *Heap) judgeStruct(visit func(Judgement), all bool, of named, kind string, address uint64, judge func(*layout.Judge)) {
	j := layout.Judge{All: all, Lacks: h.format.lacks[kind]}
	judge(&j)
	h.conclude(visit, of, kind, address, &j)
}

// conclude hands on the verdicts on a struct that was judged, and takes them from its judge.
func (h *Heap) conclude(visit func(Judgement), of named, kind string, address uint64, j *layout.Judge) {
	if gaps := h.format.gaps[kind]; gaps != nil {
		if raw := h.copied(address, h.format.structBytes(kind)); raw != nil {
			j.Changing(false)
			j.Padding(raw, gaps)
		}
	}
	if j.All || len(j.Verdicts) > 0 {
		visit(Judgement{Name: of.name(), Type: kind, Address: Address(address), Verdicts: j.Verdicts})
		j.Verdicts = nil
	}
}

// copied is the memory at an address as it was captured; nil: it was not.
func (h *Heap) copied(address, bytes uint64) []byte {
	for _, r := range h.regions() {
		if offset := address - r.start; offset < uint64(len(r.bytes)) && uint64(len(r.bytes))-offset >= bytes {
			return r.bytes[offset : offset+bytes]
		}
	}
	return nil
}

// judge judges every struct of a sound heap but its slabs, which the pass has judged: counts are what it counted.
func (h *Heap) judge(counts passCounts, visit func(Judgement), all bool) {
	pages := h.header.PagesLock.Held()
	h.judgeStruct(visit, all, title("Header"), "Header", h.id.Base, func(j *layout.Judge) { h.header.Judge(j, h.headerFacts()) })
	inflows := make([]int64, len(h.bins))
	for _, c := range h.caches {
		for bin, m := range c.magazines {
			inflows[bin] += m.Inflow
		}
	}
	for i, b := range h.bins {
		n := counts.bins[i]
		depot := uint64(0)
		for _, m := range b.depot {
			depot += uint64(m.Tally.Count())
		}
		facts := layout.BinFacts{
			ID: uint32(i), Class: h.classes[i], Holders: uint32(h.format.caches), DescriptorBytes: h.format.slabDescriptorBytes(h.classes[i].Capacity),
			Slabs: uint64(len(b.slabs)), Empty: uint64(b.empty), Retired: uint64(b.retired), Depot: uint64(len(b.depot)), DepotSpare: uint64(b.spare),
			Withdrawn: n.withdrawn, Carved: n.carved, Free: n.free, DepotBlocks: depot, Inflow: inflows[i], Live: n.live, Cached: n.cached, Quarantined: n.quarantined,
			ListsBroken: b.listsBroken, PagesHeld: pages,
		}
		h.judgeStruct(visit, all, title(fmt.Sprintf("Bin %d", i)), "Bin", uint64(b.Address), func(j *layout.Judge) { b.Judge(j, facts) })
	}
	for i, c := range h.caches {
		if i >= int(h.header.CachesReady) {
			break
		}
		h.judgeStruct(visit, all, title(c.name(i)), "Cache", uint64(c.address), func(j *layout.Judge) { c.Judge(j, uint32(i)) })
		for bin, m := range c.magazines {
			facts := layout.MagazineFacts{Bin: uint32(bin), Limit: h.classes[bin].Magazine, Held: h.bins[bin].Lock == layout.HeldBy(i)}
			if m.unused() {
				if !all {
					continue
				}
				facts = layout.MagazineFacts{} // no P ever needed it
			}
			h.judgeStruct(visit, all, title(m.name), "Magazine", uint64(m.address), func(j *layout.Judge) { m.Judge(j, facts) })
		}
	}
	h.judgeJournals(visit, all)
	h.judgeGuards(visit, all)
	h.judgeStacks(visit, all)
	for _, l := range h.onLists {
		h.judgeStruct(visit, all, title(l.name), l.kind, uint64(l.address), l.judge)
	}
	for _, a := range h.arenas {
		h.judgeStruct(visit, all, a, "Arena", uint64(a.address), func(j *layout.Judge) { a.Judge(j, a.facts) })
	}
	for _, s := range h.spans {
		facts := layout.SpanFacts{
			Arena: uint32(s.page / layout.PagesPerArena), Base: s.base, Pages: uint64(s.pages), GuardPages: uint64(s.guards),
			Huge: s.huge, SealBytes: uint64(h.id.SealBytes), Held: pages, Quarantine: s.held,
		}
		h.judgeStruct(visit, all, s, "Span", uint64(s.Address), func(j *layout.Judge) {
			s.Judge(j, facts)
			if s.Recorded == layout.SpanRecorded {
				s.Record.Judge(j, layout.RecordFacts{State: s.state(), Stored: h.stored, Held: pages})
			}
		})
	}
}

// unused reports whether no P ever needed the magazine: nothing of it was ever written.
func (m *magazine) unused() bool {
	return m.Tally == 0 && m.Inflow == 0 && m.Next == 0 && m.Bin == 0 && m.Limit == 0
}

// headerFacts is what the changing part of the header is held against.
func (h *Heap) headerFacts() layout.HeaderFacts {
	facts := layout.HeaderFacts{Identity: &h.id, Holders: uint32(h.format.caches), SpansRetired: uint64(h.retiredSpans), DescriptorBytes: h.descriptorBytes,
		JournalsFound: h.journalsFound(), RecordBytes: h.recordBytes,
		SpansQuarantined: h.quarantined.spans, QuarantinedPages: h.quarantined.pages, SpanQuarantineLast: h.quarantined.last,
	}
	for _, s := range h.spans {
		if !s.held {
			facts.SpansLive++
		}
	}
	for i := range uint64(len(h.capture.arenas.bytes)) / h.format.arena.bytes {
		// One arena more than the header counts: were it in use, the count would be wrong.
		a, _ := h.format.arena.get(h.capture.arenas, h.capture.arenas.start+i*h.format.arena.bytes)
		if a.State != 0 {
			facts.ArenasFound = i + 1
		}
		if a.State >= layout.ArenaPages && a.State <= layout.ArenaRetained {
			facts.ArenasMapped++
		}
	}
	for _, a := range h.arenas {
		switch a.State {
		case layout.ArenaPages:
			facts.PagesInUse += layout.PagesPerArena - min(a.facts.Free, layout.PagesPerArena)
		case layout.ArenaHuge, layout.ArenaHugeTail:
			facts.PagesInUse += layout.PagesPerArena
		}
	}
	for _, c := range h.caches {
		if c.Ready != 0 {
			facts.CachesFound++
		}
	}
	return facts
}
