package allocator

import (
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Alloc and Free in ModeAudit. They use the same magazines as the fast path, and on top of what that verifies they keep
// records, poison what is free and hold it back.

// mallocSlowly is Malloc for a size that a bin serves, off the fast path: in a heap that is audited, and for what sampling chose
// and could not serve. sampling says whether it may choose.
func (h *Heap) mallocSlowly(n int, sampling bool) (unsafe.Pointer, error) {
	audited := h.auditing.Load()
	var by caller
	if audited {
		by = h.whoCalls(skipMalloc)
	}
	for {
		p := pin()
		c := &h.class[h.classOf[(uint(n)+7)/layout.ClassGrain]]
		if p < int(h.cachesReady.Load()) && (!audited || p < h.journalsReady()) {
			m := h.magazine(p, c.bin)
			tally := m.Tally
			if top := uint(tally.Count() - 1); top < layout.MagazineBlocks {
				if sampling && (uint64(tally)+c.phase)&h.sampleMask.Load() == h.sampleHit.Load() {
					return h.mallocSampled(n, p, m)
				}
				address := m.Blocks[top]
				if block := h.pointer(address); !h.sealed || h.isFree(block, address, c) {
					switch {
					case audited:
						h.handOutAudited(h.journal(p), block, address, c, n, by)
					case h.sealed:
						writeSlack(block, uint32(n), c.size)
						*sealAt(block, c.size) = uint64(layout.MakeSeal(address, h.secret, n, layout.StateLive))
					}
					m.Tally = tally + layout.TallyAlloc
					unpin(p)
					h.watched(address, n, by)
					return block, nil
				}
			}
		}
		if err := h.readyBlock(n, p); err != nil { // unpins
			return nil, err
		}
	}
}

// handOutAudited makes what a new block holds recognisable, and records who gets it. The caller is pinned on the journal's P.
func (h *Heap) handOutAudited(j *layout.Journal, block unsafe.Pointer, address uint64, c *class, n int, by caller) {
	// Its bytes are not poison from here on, and its seal does not say so: a reader may look at any time.
	*sealAt(block, c.size) = layout.SealHash(address, h.secret) | uint64(layout.StateFree)
	fillWords(block, uint32(n+7)&^7, layout.FreshWord)
	fillSlack(block, uint32(n), c.size)
	sequence := h.write(j, layout.EventAlloc, address, n, by)
	state := layout.StateLive
	if r := h.record(h.slabAndIndex(address)); r != nil {
		r.AllocSequence, r.AllocGoroutine, r.AllocStack = sequence, by.goroutine, by.stack
		state = layout.StateRecorded
	}
	*sealAt(block, c.size) = uint64(layout.MakeSeal(address, h.secret, n, state))
}

// journalsReady is how many Ps can be audited.
func (h *Heap) journalsReady() int {
	return int(min(h.header().JournalsReady, uint64(h.cachesReady.Load())))
}

// isFree reports whether the block at the top of a magazine is free and was not written to since.
func (h *Heap) isFree(block unsafe.Pointer, address uint64, c *class) bool {
	seal := layout.Seal(*sealAt(block, c.size))
	switch hash := layout.SealHash(address, h.secret); seal.Unfolded() {
	case hash | uint64(layout.StateFree):
		return seal.Size() == 0
	case hash | uint64(layout.StatePoisoned):
		return !poisonDamaged(block, c.size)
	}
	return false
}

// freeAudited is free for an address inside the data.
func (h *Heap) freeAudited(block unsafe.Pointer, size int) error {
	address := uint64(uintptr(block))
	offset := address - h.data
	entry := *h.pageEntry(offset)
	if entry.Kind() != layout.PageSlab {
		return h.freeSpan(address, size)
	}
	c := &h.class[uint8(entry.Bin())]
	inSlab := uint32(offset&(layout.PageBytes-1)) + uint32(entry.Before())*layout.PageBytes
	index, starts := c.index(inSlab)
	if !starts {
		return h.freeSlowly(address, size)
	}
	seal := sealAt(block, c.size)
	found := layout.Seal(atomic.LoadUint64(seal))
	used := uint32(found.Size())
	state := found.State()
	switch {
	case !found.Belongs(address, h.secret) || !state.Live() || state.Aligned() || used > c.size,
		size != int(used) && size != unknownSize,
		index > 0 && !layout.Seal(*(*uint64)(unsafe.Add(block, -layout.SealBytes))).Belongs(address-uint64(c.stride), h.secret):
		return h.freeSlowly(address, size)
	}
	if slackDamaged(block, used, c.size) {
		return h.freeSlowly(address, size)
	}
	return h.quarantine(block, c, found, h.whoCalls(skipFree))
}

// How many frames above whoCalls are the allocator's own at least. What is left of them is left out when a stack is shown.
const (
	skipMalloc = 2
	skipFree   = 2
)
