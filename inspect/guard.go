package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// guardPool is the heap's guarded allocations.
type guardPool struct {
	layout.GuardPool
	address   Address
	live      uint64 // slots that say so
	liveBytes uint64 // that these were asked for
}

// decodeGuards copies the pool, if it was ever used.
func (h *Heap) decodeGuards() {
	r := h.capture.guards
	pool, ok := h.format.guardPool.get(r, r.start)
	if !ok {
		return
	}
	h.guards = &guardPool{GuardPool: pool, address: Address(r.start)}
	for _, s := range pool.Slots {
		if s.State == layout.GuardLive {
			h.guards.live++
			h.guards.liveBytes += min(s.Requested, layout.PageBytes)
		}
	}
}

// liveGuarded is how many guarded allocations are live.
func (h *Heap) liveGuarded() uint64 {
	if h.guards == nil {
		return 0
	}
	return h.guards.live
}

// guardSlotName is how outputs call a slot.
func guardSlotName(i int) string { return fmt.Sprintf("GuardSlot %d", i) }

// guardSlotAddress is where a slot's struct lies.
func (h *Heap) guardSlotAddress(i int) uint64 {
	return uint64(h.guards.address) + h.format.guardSlots.at(i)
}

func (h *Heap) judgeGuards(visit func(Judgement), all bool) {
	g := h.guards
	if g == nil {
		return
	}
	held := h.header.PagesLock.Held()
	h.judgeStruct(visit, all, title("GuardPool"), "GuardPool", uint64(g.address), func(j *layout.Judge) {
		g.Judge(j, layout.GuardPoolFacts{Live: g.live, Held: held})
	})
	for i := range h.format.guardSlots.count {
		i, s := int(i), &g.Slots[i]
		if s.State == layout.GuardVirgin && all {
			continue
		}
		facts := layout.GuardSlotFacts{Page: h.id.GuardPages + layout.GuardPage(i), Grain: h.id.Geometry.Grain(), Stored: h.stored, Held: held}
		h.judgeStruct(visit, all, title(guardSlotName(i)), "GuardSlot", h.guardSlotAddress(i), func(j *layout.Judge) { s.Judge(j, facts) })
	}
}

// describeGuarded is a guarded allocation as a block.
func (h *Heap) describeGuarded(i int) *Block {
	s := &h.guards.Slots[i]
	b := &Block{Address: Address(s.Address), Place: PlaceLive, Bin: -1, Slab: -1, Index: i, Arena: -1, Size: int(s.Requested), Requested: int(s.Requested), Seal: SealNone, Guarded: true}
	state := layout.StateRecorded
	if s.State == layout.GuardFreed {
		b.Place, state = PlaceQuarantined, layout.StateQuarantined
	}
	b.Allocated, b.Freed = h.operations(s.Record, state.Poisoned())
	return b
}

// diagnoseGuarded looks at what lies around a live guarded allocation on its page; nil: nobody wrote there.
func (h *Heap) diagnoseGuarded(i int) (*Finding, error) {
	s := &h.guards.Slots[i]
	page := h.id.GuardPages + layout.GuardPage(i)
	if h.blind || s.State != layout.GuardLive || s.Requested > layout.PageBytes || s.Address < page || s.Address+s.Requested > page+layout.PageBytes {
		return nil, nil // its bytes are not there, it is free, or its struct is wrong
	}
	if h.lacks(page, layout.PageBytes) {
		return nil, nil
	}
	data := make([]byte, layout.PageBytes)
	if err := h.read(data, page); err != nil {
		return nil, err
	}
	start, end, own := s.Address-page, s.Address-page+s.Requested, min(s.Requested, report.EdgeContext)
	return h.edgeFinding(h.describeGuarded(i), report.Edges{
		What: "guarded block", Address: s.Address, Requested: int(s.Requested), Before: data[:start+own], Behind: data[end-own:],
	}), nil
}

// inGuardPages reports whether an address lies in the pages of the guard pool.
func (h *Heap) inGuardPages(address uint64) bool {
	return h.guards != nil && address-h.id.GuardPages < h.format.guardPages()
}

// whatisGuarded says what an address in the guard pages is.
func (h *Heap) whatisGuarded(r *WhatisReport, address uint64) error {
	offset := address - h.id.GuardPages
	page := int(offset / layout.PageBytes)
	if page%2 == 0 {
		r.Kind = "guard"
		r.Sentence = "on a guard page of the pool of guarded blocks: nothing may be read or written there"
		// The neighbour whose bounds were left, if there is one.
		for _, i := range []int{page/2 - 1, page / 2} {
			if i < 0 || i >= int(h.format.guardSlots.count) || h.guards.Slots[i].State == layout.GuardVirgin {
				continue
			}
			b := h.describeGuarded(i)
			at := int64(address - uint64(b.Address))
			nearer := r.Block == nil || (at < 0 && -at < r.Offset)
			if nearer {
				r.Block, r.Offset = b, at
			}
		}
		if b := r.Block; b != nil {
			if r.Offset < 0 {
				r.Sentence = fmt.Sprintf("%s before the start of %s (%s), on a guard page: nothing may be read or written there", report.Bytes(-r.Offset), blockInWords(b), b.Address)
			} else {
				r.Sentence = fmt.Sprintf("%s behind the end of %s (%s), on a guard page: nothing may be read or written there", report.Bytes(r.Offset-int64(b.Size)+1), blockInWords(b), b.Address)
			}
		}
		return nil
	}
	i := page / 2
	if h.guards.Slots[i].State == layout.GuardVirgin {
		r.Kind = "guard"
		r.Sentence = fmt.Sprintf("on the page of guard slot %d, which was never used", i)
		return nil
	}
	b := h.describeGuarded(i)
	r.Kind, r.Block, r.Offset = "block", b, int64(address-uint64(b.Address))
	r.Sentence = fmt.Sprintf("%s into %s (%s), guard slot %d", report.Bytes(r.Offset), blockInWords(b), b.Address, i)
	switch {
	case r.Offset == 0:
		r.Sentence = fmt.Sprintf("the start of %s, guard slot %d", blockInWords(b), i)
	case r.Offset < 0:
		r.Sentence = fmt.Sprintf("%s before the start of %s (%s), guard slot %d", report.Bytes(-r.Offset), blockInWords(b), b.Address, i)
	case r.Offset >= int64(b.Size):
		r.Sentence = fmt.Sprintf("%s behind the end of %s (%s), guard slot %d", report.Bytes(r.Offset-int64(b.Size)+1), blockInWords(b), b.Address, i)
	}
	var err error
	r.Finding, err = h.diagnoseGuarded(i)
	return err
}

// damagedGuarded are the slots of guarded blocks around which somebody wrote.
func (h *Heap) damagedGuarded() (slots []int, err error) {
	if h.guards == nil {
		return nil, nil
	}
	for i := range h.guards.Slots {
		f, err := h.diagnoseGuarded(i)
		if err != nil {
			return nil, err
		}
		if f != nil {
			slots = append(slots, i)
		}
	}
	return slots, nil
}
