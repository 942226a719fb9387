package inspect

import (
	"context"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect/target"
)

// pass goes once over all slabs, with as many goroutines as there are processors: it counts each slab's blocks, judges its
// struct, and (if asked) holds each block's seal against the place that the lists give it.
type pass struct {
	seals   bool            // read the blocks
	structs *StructsOptions // which structs of slabs to keep; nil: none is judged
	all     bool            // keep every verdict of them, not only the wrong ones
	// progress, if set, is called now and then with the slabs that are done. It may be called by several goroutines.
	progress func(done, total int)
}

// passCounts is what a pass counts.
type passCounts struct {
	bins      []binCounts
	blocks    uint64 // seals that were read
	dataBytes uint64 // that were read
}

type binCounts struct{ carved, free, live, cached, quarantined, withdrawn uint64 }

// passResult is what a pass found, in the order of addresses.
type passResult struct {
	counts   passCounts
	findings []Finding // two lists, or none, have a block
	structs  selection // of slabs
	suspects []suspect // blocks whose seal does not fit their place
}

// suspect is a block whose bytes did not fit its place when they were read.
type suspect struct {
	slab  *Slab
	index int // or slabTail
}

// slabTail stands for what lies behind the last block of a slab.
const slabTail = -1

// pieceBytes is how much memory is read at a time: small enough to stay in a processor's cache while it is looked at.
const pieceBytes = 256 << 10

// run goes over the slabs. The error is the context's, or says that the target failed.
func (p pass) run(ctx context.Context, h *Heap) (passResult, error) {
	workers := min(runtime.GOMAXPROCS(0), max(1, len(h.slabs)/16))
	results := make([]passResult, workers)
	failures := make([]error, workers)
	var next, done atomic.Int64
	groups := h.slabGroups()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			worker := passWorker{pass: p, heap: h, result: &results[w], judge: layout.Judge{All: p.all, Lacks: h.format.lacks["Slab"]}}
			*worker.result = p.result(h)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(groups) || ctx.Err() != nil {
					return
				}
				if failures[w] = worker.group(groups[i]); failures[w] != nil {
					return
				}
				if finished := done.Add(int64(len(groups[i]))); p.progress != nil {
					p.progress(int(finished), len(h.slabs))
				}
			}
		})
	}
	wg.Wait()
	total := p.result(h)
	for w := range results {
		if failures[w] != nil {
			return total, failures[w]
		}
		total.merge(&results[w])
	}
	total.sort()
	return total, ctx.Err()
}

// result is the result of a pass that has seen nothing.
func (p pass) result(h *Heap) passResult {
	r := passResult{counts: passCounts{bins: make([]binCounts, len(h.bins))}}
	if p.structs != nil {
		r.structs = newSelection(*p.structs)
	}
	return r
}

func (r *passResult) merge(other *passResult) {
	for i, b := range other.counts.bins {
		sum := &r.counts.bins[i]
		sum.carved += b.carved
		sum.free += b.free
		sum.live += b.live
		sum.cached += b.cached
		sum.quarantined += b.quarantined
		sum.withdrawn += b.withdrawn
	}
	r.counts.blocks += other.counts.blocks
	r.counts.dataBytes += other.counts.dataBytes
	r.findings = append(r.findings, other.findings...)
	r.structs.count(&other.structs)
	r.structs.kept = append(r.structs.kept, other.structs.kept...)
	r.suspects = append(r.suspects, other.suspects...)
}

func (r *passResult) sort() {
	byAddress := func(a, b Address) int {
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(r.findings, func(a, b Finding) int { return byAddress(a.Address, b.Address) })
	slices.SortStableFunc(r.structs.kept, func(a, b Judgement) int { return byAddress(a.Address, b.Address) })
	slices.SortStableFunc(r.suspects, func(a, b suspect) int {
		return byAddress(Address(a.slab.blockAddress(a.index)), Address(b.slab.blockAddress(b.index)))
	})
}

// slabGroups cuts the slabs, which are in the order of their addresses, into groups that lie side by side and together are
// no larger than a piece.
func (h *Heap) slabGroups() (groups [][]*Slab) {
	start := 0
	for i, s := range h.slabs {
		first := h.slabs[start]
		if i > start && (s.page != h.slabs[i-1].page+h.slabs[i-1].pages || (s.page+s.pages-first.page)*layout.PageBytes > pieceBytes) {
			groups = append(groups, h.slabs[start:i])
			start = i
		}
	}
	if start < len(h.slabs) {
		groups = append(groups, h.slabs[start:])
	}
	return groups
}

// passWorker is one goroutine's part of a pass.
type passWorker struct {
	pass
	heap   *Heap
	result *passResult
	census census
	judge  layout.Judge // of slabs: there are many
	buffer []byte
}

func (w *passWorker) group(slabs []*Slab) error {
	h := w.heap
	seals := w.seals && h.sealed()
	first, last := slabs[0], slabs[len(slabs)-1]
	var data []byte
	if seals {
		var err error
		if data, err = w.memory(first.base, int(last.base-first.base)+last.pages*layout.PageBytes); err != nil {
			return err
		}
	}
	for _, s := range slabs {
		w.slab(s)
		if seals {
			w.blocks(s, data[s.base-first.base:])
		}
	}
	return nil
}

// memory is a piece of the heap's memory: seen where it lies, if the door can show it, else copied.
func (w *passWorker) memory(address uint64, bytes int) ([]byte, error) {
	h := w.heap
	w.result.counts.dataBytes += uint64(bytes)
	if v, ok := h.target.(target.Viewer); ok {
		if data := v.View(int64(address-h.id.Base), int64(bytes)); data != nil {
			return data, nil
		}
	}
	if cap(w.buffer) < bytes {
		w.buffer = make([]byte, max(bytes, pieceBytes))
	}
	w.buffer = w.buffer[:bytes]
	return w.buffer, h.read(w.buffer, address)
}

// slab counts the blocks of a slab and judges its struct, if that is asked for.
func (w *passWorker) slab(s *Slab) {
	h := w.heap
	bin, pages := h.bins[s.bin].Lock.Held(), h.header.PagesLock.Held()
	held := bin || pages
	w.census.count(s, func(m misfit) {
		owner := m.owner
		if owner == "" {
			owner = s.name()
		}
		f := fromVerdict(m.code, owner, uint64(s.Address), layout.Verdict{Field: m.field, Found: m.found, Expected: m.expected, Why: m.why, UnderWay: held})
		if m.index >= 0 {
			f.Block = h.describeBlock(s, m.index, w.census.places[m.index])
			if m.code != CodeMetadata && m.code != CodeList {
				f.Address = f.Block.Address
			}
			if m.code == CodeDoubleListed {
				f.Summary = "a block in a magazine is " + f.Block.Place.String() + " already"
			}
		}
		w.result.findings = append(w.result.findings, f)
	})
	c := &w.result.counts.bins[s.bin]
	c.carved += uint64(s.Carved)
	c.free += uint64(s.FreeCount)
	c.live += uint64(w.census.live)
	c.cached += uint64(w.census.cached)
	c.quarantined += uint64(w.census.quarantined)
	c.withdrawn += uint64(w.census.withdrawn)
	if w.structs == nil {
		return
	}
	facts := h.slabFacts(s, &w.census, held)
	facts.Retiring = bin && pages && !s.onPartial && !s.onEmpty
	w.judge.Reset()
	s.Judge(&w.judge, facts)
	s.judgeTail(&w.judge)
	h.conclude(w.result.structs.visit, s, "Slab", uint64(s.Address), &w.judge)
}

// slabFacts is what a slab is held against.
func (h *Heap) slabFacts(s *Slab, c *census, held bool) layout.SlabFacts {
	return layout.SlabFacts{
		Arena: uint32(s.page / layout.PagesPerArena), Bin: uint32(s.bin), Base: s.base, Pages: uint64(s.pages), Links: uint64(s.Address) + h.format.slab.bytes,
		Class: *s.class, Held: held, FreeList: uint64(c.freeList), OnPartial: s.onPartial, OnEmpty: s.onEmpty, WithdrawnLinks: uint64(c.withdrawn),
	}
}

// judgeTail expects zeros between the last link and the next descriptor.
func (s *Slab) judgeTail(j *layout.Judge) {
	for _, b := range s.tail {
		if b != 0 {
			j.EqualHex("(behind the links)", uint64(b), 0, "nothing is ever written there")
			return
		}
	}
}

// blocks holds the seal of each block that was ever handed out against its place. data begins with block 0.
func (w *passWorker) blocks(s *Slab, data []byte) {
	h := w.heap
	secret, stride, size := h.id.Secret, int(s.class.Stride), int(s.class.Size)
	// A damaged page map may leave a slab fewer pages than its blocks need.
	room := s.pages * layout.PageBytes
	carved := min(s.carved(), room/stride)
	places := w.census.places[:carved]
	quick := !h.blind && size >= layout.SealBytes
	for i := 0; i < carved; i++ {
		if quick {
			if i += clearlySound(places[i:], data[i*stride:], stride, size, s.blockAddress(i), secret); i == carved {
				break
			}
		}
		if !w.healthy(s, i, data[i*stride:(i+1)*stride]) {
			w.result.suspects = append(w.result.suspects, suspect{s, i})
		}
	}
	if end := s.capacity() * stride; h.format.edges && end < room && !h.blind && firstDamage(data[end:room]) >= 0 {
		w.result.suspects = append(w.result.suspects, suspect{s, slabTail})
	}
	w.result.counts.blocks += uint64(carved)
}

// clearlySound is how many blocks, from the first on, take no second look: as most blocks of most heaps they are live, not recorded,
// end within a word of their seal, and are sound. Nothing else is done in its loop, so that what it needs stays in registers.
func clearlySound(places []Place, data []byte, stride, size int, address, secret uint64) int {
	at := size - layout.SealBytes // of the block's last word and its seal
	for i, place := range places {
		words := data[at : at+2*layout.SealBytes]
		seal := layout.Seal(binary.LittleEndian.Uint64(words[layout.SealBytes:]))
		slack := size - int(seal.Size())
		if place != PlaceLive || uint(slack) > 8 || seal.Unfolded() != layout.SealHash(address, secret)|uint64(layout.StateLive) ||
			layout.SlackDamaged(binary.LittleEndian.Uint64(words), uint32(slack)) {
			return i
		}
		at += stride
		address += uint64(stride)
	}
	return len(places)
}

// healthy holds one block's seal, and what goes with it, against the block's place.
func (w *passWorker) healthy(s *Slab, i int, block []byte) bool {
	h := w.heap
	place, size := w.census.places[i], s.class.Size
	seal := layout.Seal(binary.LittleEndian.Uint64(block[size:]))
	hash := layout.SealHash(s.blockAddress(i), h.id.Secret)
	healthy := false
	switch {
	case h.blind:
		b, _ := h.examineSeal(s, i, place, w.census.onTop(i), block)
		healthy = b.Seal == SealIntact || b.Seal == SealNone || b.Place == PlaceWithdrawn || b.Place == PlaceLost
	case place == PlaceLive:
		healthy = intactLive(block[:size], seal, hash) && (!seal.State().Aligned() || h.marked(s, i, block))
	case place == PlaceFree || place == PlaceDepot:
		healthy = intactFree(block[:size], seal, hash)
	case place == PlaceCached:
		healthy = intactFree(block[:size], seal, hash) || w.census.onTop(i) && (intactLive(block[:size], seal, hash) || intactHeld(block[:size], seal, hash))
	case place == PlaceQuarantined:
		healthy = intactHeld(block[:size], seal, hash) || w.census.onTop(i) && changingHands(seal, hash)
	default:
		healthy = true // virgin, withdrawn or lost: its seal tells nothing more
	}
	return healthy && !(seal.State().Recorded() && s.recorded && len(h.judgeRecord(s, i, seal.State())) > 0)
}

// marked reports whether a block that is sealed as aligned has its mark. The mark is written before that seal, and stays until
// the block is the user's no more.
func (h *Heap) marked(s *Slab, i int, block []byte) bool {
	sealed := report.Sealed{Address: s.blockAddress(i), Secret: h.id.Secret, Bytes: block}
	return sealed.AlignedAt(int(layout.Seal(binary.LittleEndian.Uint64(block[s.class.Size:])).Size())) > 0
}

// intactLive reports whether a block carries the seal of a live one, and the slack pattern before it.
func intactLive(data []byte, seal layout.Seal, hash uint64) bool {
	unfolded := seal.Unfolded()
	if unfolded&layout.SealHashMask != hash || !layout.State(unfolded&0xf).Live() || unfolded&^layout.SealHashMask > 0xf {
		return false
	}
	used, size := int(seal.Size()), len(data)
	switch {
	case used == size:
		return true
	case used > size:
		return false
	case size-used <= 8:
		return !layout.SlackDamaged(binary.LittleEndian.Uint64(data[size-8:]), uint32(size-used))
	}
	return firstDamage(data[used:]) < 0
}

// intactFree reports whether a block carries the seal of a free one, and poison if the seal says so.
func intactFree(data []byte, seal layout.Seal, hash uint64) bool {
	return uint64(seal) == hash|uint64(layout.StateFree) || (seal.Unfolded() == hash|uint64(layout.StatePoisoned) && firstUnpoisoned(data) < 0)
}

// intactHeld reports whether a block carries the seal of a quarantined one, and poison.
func intactHeld(data []byte, seal layout.Seal, hash uint64) bool {
	return seal.Unfolded() == hash|uint64(layout.StateQuarantined) && firstUnpoisoned(data) < 0
}

// changingHands reports whether the seal is one that a block carries on its way into the quarantine or out of it: what its
// bytes hold says nothing then.
func changingHands(seal layout.Seal, hash uint64) bool {
	state := layout.State(seal.Unfolded() & 0xf)
	return seal.Unfolded() == hash|uint64(state) && (state.Live() || state.Poisoned())
}

// firstUnpoisoned is the index of the first byte that is not poison; -1: every one is.
func firstUnpoisoned(data []byte) int { return firstOther(data, layout.PoisonWord) }

// firstDamage is the index of the first byte that does not carry the slack pattern; -1: every one does.
func firstDamage(slack []byte) int { return firstOther(slack, layout.SlackWord) }

// firstOther is the index of the first byte that is not the one of which word is made; -1: none is.
func firstOther(data []byte, word uint64) int {
	i := 0
	for ; i+8 <= len(data); i += 8 {
		if binary.LittleEndian.Uint64(data[i:]) != word {
			break
		}
	}
	for ; i < len(data); i++ {
		if data[i] != byte(word) {
			return i
		}
	}
	return -1
}
