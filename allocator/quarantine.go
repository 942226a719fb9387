package allocator

import (
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// The quarantine: blocks that were freed in audit mode, poisoned and held back, so that whoever still uses one is caught
// before it is somebody else's. Each P has a ring of its own, first in, first out.

// quarantine frees a block that was verified, with the seal that was found. r is its record; nil: it has none.
func (h *Heap) quarantine(block unsafe.Pointer, c *class, found layout.Seal, r *layout.Record) error {
	by, place := recentCaller(&h.recent, skipQuarantine)
	if by.stack == 0 {
		by = h.newCaller(skipQuarantine, place)
	}
	address := uint64(uintptr(block))
again:
	for {
		p := pin()
		if p >= int(h.journalsReady.Load()) {
			unpin(p)
			if err := h.readyCaches(p + 1); err != nil {
				return err
			}
			continue
		}
		j := h.journal(p)
		for h.holdsBackAll(j, c) {
			if !h.releaseOldest(p, j) {
				if err := h.unblockOldest(p, j); err != nil { // unpins
					return err
				}
				continue again
			}
		}
		j.Moving = address
		j.Quarantine[j.QuarantineIn%layout.QuarantineBlocks] = address
		j.QuarantineBytes += uint64(c.stride)
		j.QuarantineIn++
		// Of two goroutines that free the same block, one wins.
		if !atomic.CompareAndSwapUint64(sealAt(block, c.size), uint64(found), uint64(found.In(layout.StateQuarantined))) {
			j.QuarantineIn--
			j.QuarantineBytes -= uint64(c.stride)
			j.Moving = 0
			unpin(p)
			return h.freeSlowly(address, unknownSize)
		}
		fillWords(block, c.size, layout.PoisonWord)
		sequence := h.write(j, layout.EventFree, address, int(found.Size()), by)
		if r != nil {
			if !found.State().Recorded() {
				r.AllocSequence, r.AllocGoroutine, r.AllocStack = 0, 0, 0 // allocated before the audit began
			}
			r.FreeSequence, r.FreeGoroutine, r.FreeStack = sequence, by.goroutine, by.stack
		}
		j.Moving = 0
		unpin(p)
		return nil
	}
}

// holdsBackAll reports whether a quarantine holds back all it may, so that no block of this class may be added.
func (h *Heap) holdsBackAll(j *layout.Journal, c *class) bool {
	held := j.QuarantineIn - j.QuarantineOut
	return held > 0 && (held == layout.QuarantineBlocks || j.QuarantineBytes+uint64(c.stride) > h.quarantineShare.Load())
}

// releaseOldest moves the oldest block of the quarantine into the magazine of its bin; false when that is full, or somebody
// wrote to the block. The caller is pinned on p, whose journal is j.
func (h *Heap) releaseOldest(p int, j *layout.Journal) bool {
	address := j.Quarantine[j.QuarantineOut%layout.QuarantineBlocks]
	c := &h.class[uint8(h.pageEntry(address-h.data).Bin())]
	block := h.pointer(address)
	seal := sealAt(block, c.size)
	found := layout.Seal(*seal)
	m := h.magazine(p, c.bin)
	tally := m.Tally
	count := uint(tally.Count())
	if count >= layout.MagazineBlocks || count >= uint(m.Limit) || !h.carriesHeld(address, found) || !poisoned(block, c.size) {
		return false
	}
	// For a moment it is in both places, so that it is never in none.
	j.Moving = address
	m.Blocks[count] = address
	m.Tally = tally + layout.TallyFree
	h.leaveQuarantine(j, c)
	*seal = uint64(found.In(layout.StatePoisoned))
	j.Moving = 0
	return true
}

// unblockOldest sees to it that the oldest block of the quarantine can leave it: it makes room in the magazine, or withdraws
// the block when somebody wrote to it. The caller is pinned on p; it is not afterwards.
func (h *Heap) unblockOldest(p int, j *layout.Journal) error {
	address := j.Quarantine[j.QuarantineOut%layout.QuarantineBlocks]
	c := &h.class[uint8(h.pageEntry(address-h.data).Bin())]
	if m := h.magazine(p, c.bin); m.Tally.Count() >= int(m.Limit) {
		unpin(p)
		return h.flush(int(c.bin))
	}
	if found, damaged := h.heldDamage(address, c); damaged {
		h.withdrawOldest(p, j, c, found) // unpins
		return nil
	}
	unpin(p) // it is whole again
	return nil
}

// carriesHeld reports whether a seal is that of the block at address, held back.
func (h *Heap) carriesHeld(address uint64, seal layout.Seal) bool {
	return seal.Unfolded() == layout.SealHash(address, h.secret)|uint64(layout.StateQuarantined)
}

// heldDamage is the seal of a block that is held back, and whether it or the poison before it is damaged.
func (h *Heap) heldDamage(address uint64, c *class) (found layout.Seal, damaged bool) {
	block := h.pointer(address)
	found = layout.Seal(*sealAt(block, c.size))
	return found, !poisoned(block, c.size) || !h.carriesHeld(address, found)
}

func (h *Heap) leaveQuarantine(j *layout.Journal, c *class) {
	j.QuarantineOut++
	j.QuarantineBytes -= uint64(c.stride)
}

// withdrawOldest takes the oldest block of the quarantine, to which somebody wrote, out of use for ever. The caller is pinned on
// p; it is not afterwards.
func (h *Heap) withdrawOldest(p int, j *layout.Journal, c *class, found layout.Seal) {
	b := h.bin(int(c.bin))
	if !tryLock(&b.Lock, p) {
		unpin(p) // somebody is moving a batch; the caller comes here again
		return
	}
	address := j.Quarantine[j.QuarantineOut%layout.QuarantineBlocks]
	j.Moving = address
	h.withdrawLent(p, b, address)
	h.leaveQuarantine(j, c)
	j.Moving = 0
	h.unlockBin(b, p)
	h.report(h.writtenAfterFree("free", address, c, found))
}

// endQuarantine lets the blocks out that the P which the caller is on still holds back, when the heap is not audited any more.
func (h *Heap) endQuarantine() error {
	for !h.auditing.Load() {
		if more, err := h.letOldestOut(); !more {
			return err
		}
	}
	return nil
}

// emptyQuarantine lets out what the P which the caller is on holds back, while others may put more into it.
func (h *Heap) emptyQuarantine() error {
	for range layout.QuarantineBlocks {
		if more, err := h.letOldestOut(); !more {
			return err
		}
	}
	return nil
}

// letOldestOut lets one block out that the P which the caller is on holds back, or makes room for it; false: there is none, or
// it can't be done. Only the P itself may touch its ring.
func (h *Heap) letOldestOut() (more bool, err error) {
	p := pin()
	if p >= int(h.journalsReady.Load()) {
		unpin(p)
		return false, nil
	}
	j := h.journal(p)
	if j.QuarantineIn == j.QuarantineOut {
		unpin(p)
		return false, nil
	}
	if h.releaseOldest(p, j) {
		unpin(p)
		return true, nil
	}
	err = h.unblockOldest(p, j) // unpins
	return err == nil, err
}

// Spans that were freed in audit mode lose their memory, keep their pages and become inaccessible: using one faults.

// quarantineSpan is the free of a live span. The pages' lock is held.
func (h *Heap) quarantineSpan(s *layout.Span, by caller) {
	head := h.header()
	offset := s.Base - h.data
	bytes := (s.Pages + uint64(s.GuardPages)) * layout.PageBytes
	s.State, s.Next = layout.SpanQuarantined, 0
	s.Record.FreeSequence, s.Record.FreeGoroutine, s.Record.FreeStack = h.number(layout.EventFree, s.User(), s.Requested, by), by.goroutine, by.stack
	if s.Recorded == 0 {
		s.Record.AllocSequence, s.Record.AllocGoroutine, s.Record.AllocStack = 0, 0, 0
	}
	s.Recorded = layout.SpanRecorded
	_ = h.memory.discard(h.dataOffset+offset, bytes-uint64(s.GuardPages)*layout.PageBytes)
	if h.memory.guard(h.dataOffset+offset, bytes) != nil {
		head.SpanGuardsLost++
	}
	h.memory.hide(h.dataOffset+offset, s.Pages*layout.PageBytes)
	ref := layout.Ref[layout.Span](uint64(uintptr(unsafe.Pointer(s))))
	if head.SpanQuarantineLast != 0 {
		at[layout.Span](h, uint64(head.SpanQuarantineLast)).Next = ref
	} else {
		head.SpanQuarantine = ref
	}
	head.SpanQuarantineLast = ref
	head.SpansQuarantined++
	head.QuarantinedPages += s.Pages + uint64(s.GuardPages)
	h.arena(uint64(s.Arena)).SpanCount--
	h.header().SpansLive--
	h.limitSpanQuarantine(uint64(h.options.QuarantineBytes))
}

// limitSpanQuarantine gives the oldest spans back to their arenas until at most limit bytes are held back. The pages' lock is held.
func (h *Heap) limitSpanQuarantine(limit uint64) {
	head := h.header()
	for head.SpanQuarantine != 0 && head.QuarantinedPages*layout.PageBytes > limit {
		s := at[layout.Span](h, uint64(head.SpanQuarantine))
		head.SpanQuarantine = s.Next
		if s.Next == 0 {
			head.SpanQuarantineLast = 0
		}
		head.SpansQuarantined--
		head.QuarantinedPages -= s.Pages + uint64(s.GuardPages)
		// Live again for the moment that it takes to drop it.
		s.Next = 0
		h.arena(uint64(s.Arena)).SpanCount++
		head.SpansLive++
		h.memory.unguard(h.dataOffset+s.Base-h.data, s.Pages*layout.PageBytes)
		h.dropSpan(s)
	}
}

// verifyQuarantine reports what was written to after it was freed and is held back still. Nobody else uses the heap any more.
func (h *Heap) verifyQuarantine() {
	for i := range int(h.header().JournalsReady) {
		j := h.journal(i)
		for k := j.QuarantineOut; k != j.QuarantineIn; k++ {
			address := j.Quarantine[k%layout.QuarantineBlocks]
			c := &h.class[uint8(h.pageEntry(address-h.data).Bin())]
			if found, damaged := h.heldDamage(address, c); damaged {
				_ = h.report(h.writtenAfterFree("close", address, c, found))
			}
		}
	}
}
