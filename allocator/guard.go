package allocator

import (
	"fmt"
	"math/rand/v2"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Guarded allocations (GWP-ASan: https://llvm.org/docs/GwpAsan.html; KFENCE: Documentation/dev-tools/kfence.rst of Linux).
// All of it is under the pages' lock: the system calls dwarf it.

// readyGuards makes the guard pool usable: all of its pages inaccessible.
func (h *Heap) readyGuards() error {
	if h.guardsReady {
		return nil
	}
	if err := h.readyStacks(); err != nil {
		return err
	}
	for _, part := range [][2]uint64{{h.offset(h.guards), layout.GuardPoolBytes}, {h.guardPages - h.baseAddress, layout.GuardPagesBytes}} {
		if err := h.memory.commit(part[0], part[1]); err != nil {
			return fmt.Errorf("the system gave no memory for the guard pool: %w", err)
		}
	}
	if err := h.memory.guard(h.guardPages-h.baseAddress, layout.GuardPagesBytes); err != nil {
		return fmt.Errorf("the system makes no guard pages: %w", err)
	}
	for i := range layout.GuardSlots + 1 {
		h.memory.hide(h.guardPages-h.baseAddress+2*uint64(i)*layout.PageBytes, layout.PageBytes)
	}
	learnGoroutineWord()
	h.guardPool().Ready = 1
	h.guardsReady = true
	return nil
}

// mallocGuarded allocates n bytes, at most a page, on a page of their own; nil when no slot is free.
func (h *Heap) mallocGuarded(n int) unsafe.Pointer {
	by := h.whoCalls(skipMalloc)
	h.lockPages()
	defer h.unlockPages()
	pool := h.guardPool()
	i, ok := h.guardSlot(pool)
	if !ok {
		pool.Missed++
		return nil
	}
	page := h.guardPages + layout.GuardPage(i)
	start := page
	if rand.Uint32()&3 != 0 || n == 0 {
		start = page + layout.PageBytes - (uint64(n)+h.grain-1)&^(h.grain-1)
	}
	h.memory.unguard(page-h.baseAddress, layout.PageBytes)
	fillWords(h.pointer(page), layout.PageBytes, layout.SlackWord)
	pool.Slots[i] = layout.GuardSlot{
		Address: start, Requested: uint64(n), State: layout.GuardLive,
		Record: layout.Record{AllocSequence: h.number(layout.EventAlloc, start, uint64(n), by), AllocGoroutine: by.goroutine, AllocStack: by.stack},
	}
	pool.Slots[i].Check = pool.Slots[i].Sum()
	pool.Live++
	return h.pointer(start)
}

// guardSlot is the slot that was free for the longest time: they are taken in turn.
func (h *Heap) guardSlot(pool *layout.GuardPool) (int, bool) {
	for range layout.GuardSlots {
		i := int(pool.Next % layout.GuardSlots)
		pool.Next++
		if pool.Slots[i].State != layout.GuardLive {
			return i, true
		}
	}
	return 0, false
}

// inGuardPages reports whether an address lies in the pages of the guard pool.
func (h *Heap) inGuardPages(address uint64) bool {
	return address-h.guardPages < layout.GuardPagesBytes
}

// guardSlotOf is the slot to which an address in the guard pages belongs: that of its page, or, on an inaccessible one, the
// neighbour that the address is likelier to have been meant for.
func (h *Heap) guardSlotOf(address uint64) (s *layout.GuardSlot, page uint64) {
	pool := h.guardPool()
	offset := address - h.guardPages
	i := int(offset/layout.PageBytes-1) / 2
	if offset/layout.PageBytes%2 == 0 {
		// Between two: the one behind which it lies, unless the next one is nearer and begins at its page's start.
		before, after := int(offset/layout.PageBytes)/2-1, int(offset/layout.PageBytes)/2
		i = max(before, 0)
		if after < layout.GuardSlots && pool.Slots[after].State != layout.GuardVirgin &&
			(before < 0 || pool.Slots[before].State == layout.GuardVirgin || offset%layout.PageBytes >= layout.PageBytes/2) {
			i = after
		}
	}
	return &pool.Slots[i], h.guardPages + layout.GuardPage(i)
}

// locateGuarded is locate for an address in the guard pages.
func (h *Heap) locateGuarded(address uint64) (block, *Violation) {
	v := &Violation{Kind: InvalidFree, Bin: noBin, Size: -1}
	if !h.guardsReady {
		v.Detail = "the address lies in the guard pool, which was never used"
		return block{}, v
	}
	s, page := h.guardSlotOf(address)
	v.Block, v.Size = s.Address, int(s.Requested)
	switch {
	case s.State == layout.GuardVirgin:
		v.Block, v.Size, v.Detail = 0, -1, "the address lies on a guard page that was never used"
	case s.Address != address && s.State == layout.GuardLive:
		v.Detail = fmt.Sprintf("the address is %d bytes away from the start of a live block of %d bytes", int64(address-s.Address), s.Requested)
	case s.Address != address:
		v.Detail = fmt.Sprintf("the address is %d bytes away from the start of a freed block of %d bytes", int64(address-s.Address), s.Requested)
	case s.State == layout.GuardFreed:
		v.Kind, v.Detail = DoubleFree, "the block is free already"
	default:
		if d, damaged := h.guardRim(s, page).Damage(); damaged {
			v.Kind = Overflow
			if d.Before {
				v.Kind = Underflow
			}
			v.show(d)
			return block{}, v
		}
		return block{address: address, start: address, size: int(s.Requested), bin: noBin, most: int(s.Requested), guarded: true}, nil
	}
	return block{}, v
}

// freeGuarded is free for an address in the guard pages.
func (h *Heap) freeGuarded(address uint64, size int) error {
	by := h.whoCalls(skipFree)
	h.lockPages()
	b, v := h.locateGuarded(address)
	if v == nil && size != unknownSize && size != b.size {
		v = &Violation{Kind: SizeMismatch, Block: b.start, Bin: noBin, Size: b.size, Detail: mismatch(b.size, size)}
	}
	if v == nil || v.Kind == Overflow || v.Kind == Underflow {
		h.dropGuarded(address, by) // damage around it harms nobody once the page is gone
	}
	h.unlockPages()
	if v == nil {
		return nil
	}
	v.During, v.Address = "free", address
	return h.report(v)
}

// dropGuarded makes the page of a live guarded allocation inaccessible.
func (h *Heap) dropGuarded(address uint64, by caller) {
	s, page := h.guardSlotOf(address)
	s.Record.FreeSequence, s.Record.FreeGoroutine, s.Record.FreeStack = h.number(layout.EventFree, address, s.Requested, by), by.goroutine, by.stack
	s.State = layout.GuardFreed
	s.Check = s.Sum()
	h.guardPool().Live--
	// Its memory stays: to get a page anew takes as long as everything else together, and what the block held last may tell
	// something when the program has died.
	_ = h.memory.guard(page-h.baseAddress, layout.PageBytes)
}
