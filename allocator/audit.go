package allocator

import (
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Alloc and Free in ModeAudit. They use the same magazines as the fast path, and on top of what that verifies they keep
// records, poison what is free and hold it back.

// mallocAudited is Malloc for what the fast path leaves: large sizes, and all of them in a heap that is audited. sampling says
// whether sampling may choose.
//
//go:noinline
func (h *Heap) mallocAudited(n int, sampling bool) (unsafe.Pointer, error) {
	switch {
	case uint(n) > uint(h.mostSmall):
		return h.mallocSpan(n, int(h.grain))
	case h.closed.Load():
		return nil, errClosed
	case !h.auditing.Load():
		return h.mallocSlowly(n)
	}
	by, place := recentCaller(&h.recent, skipMalloc)
	if by.stack == 0 {
		by = h.newCaller(skipMalloc, place)
	}
	for {
		p := pin()
		c := &h.class[h.binOf(n)]
		if p < int(h.journalsReady.Load()) {
			m := h.magazine(p, c.bin)
			if sampling && m.Tally.Count() > 0 && h.samples(m.Tally, c) {
				return h.mallocSampled(n, p)
			}
			if block := h.handOutAudited(h.journal(p), m, c, n, by); block != nil {
				unpin(p)
				if h.watch != nil {
					h.watched(uint64(uintptr(block)), n, by)
				}
				return block, nil
			}
		}
		if err := h.readyBlock(n, p); err != nil { // unpins
			return nil, err
		}
	}
}

// handOutAudited takes the block at the magazine's top for the user, makes what it holds recognisable, and records who gets
// it; nil when there is none, or it is damaged. The caller is pinned on the P of the journal and the magazine.
func (h *Heap) handOutAudited(j *layout.Journal, m *layout.Magazine, c *class, n int, by caller) unsafe.Pointer {
	tally := m.Tally
	top := uint(tally.Count() - 1)
	if top >= layout.MagazineBlocks {
		return nil
	}
	address := m.Blocks[top]
	block := h.pointer(address)
	hash := layout.SealHash(address, h.secret)
	seal := sealAt(block, c.size)
	switch found := layout.Seal(*seal); found.Unfolded() {
	case hash | uint64(layout.StatePoisoned):
		if !poisoned(block, c.size) {
			return nil
		}
	case hash | uint64(layout.StateFree):
		if found.Size() != 0 {
			return nil
		}
	default:
		return nil
	}
	// Its bytes are not poison from here on, and its seal does not say so: a reader may look at any time.
	*seal = hash | uint64(layout.StateFree)
	fillWords(block, uint32(n+7)&^7, layout.FreshWord)
	if uint32(n) != c.size {
		fillSlack(block, uint32(n), c.size)
	}
	sequence := h.write(j, layout.EventAlloc, address, n, by)
	state := layout.StateLive
	offset := address - h.data
	entry := *h.pageEntry(offset)
	index, _ := c.index(entry.InSlab(offset))
	if r := h.record(h.slabOf(entry), index); r != nil {
		r.AllocSequence, r.AllocGoroutine, r.AllocStack = sequence, by.goroutine, by.stack
		state = layout.StateRecorded
	}
	*seal = uint64(layout.ComposeSeal(hash, n, state))
	m.Tally = tally + layout.TallyAlloc
	return block
}

// freeAudited is free for what the fast path leaves: addresses outside the data, and all of them in a heap that is audited.
//
//go:noinline
func (h *Heap) freeAudited(block unsafe.Pointer, size int) error {
	address := uint64(uintptr(block))
	offset := address - h.data
	if offset >= h.dataUsed.Load() {
		return h.freeOutside(address, size)
	}
	entry := *h.pageEntry(offset)
	if entry.Kind() != layout.PageSlab {
		return h.freeSpan(address, size)
	}
	c := &h.class[uint8(entry.Bin())]
	index, starts := c.index(entry.InSlab(offset))
	if !starts {
		return h.freeSlowly(address, size)
	}
	hash := layout.SealHash(address, h.secret)
	found := layout.Seal(atomic.LoadUint64(sealAt(block, c.size)))
	unfolded := found.Unfolded()
	used := uint32(found.Size())
	slack := c.size - used
	switch {
	case unfolded != hash|uint64(layout.StateRecorded) && unfolded != hash|uint64(layout.StateLive),
		size != int(used) && size != unknownSize,
		slack <= 8 && layout.SlackDamaged(*sealAt(block, c.size-8), slack),
		slack > 8 && longSlackDamaged(block, slack, c.size),
		index > 0 && !layout.Seal(*(*uint64)(unsafe.Add(block, -layout.SealBytes))).Belongs(address-uint64(c.stride), h.secret):
		return h.freeSlowly(address, size)
	}
	return h.quarantine(block, c, found, h.record(h.slabOf(entry), index))
}

// How many frames, from the one that asks for its caller on, are the allocator's own at least. What is left of them is left out
// when a stack is shown.
const (
	skipMalloc     = 2
	skipFree       = 2
	skipQuarantine = 3
)
