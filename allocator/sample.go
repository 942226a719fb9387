package allocator

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Sampling costs the fast path two loads and a comparison, no counter: the word that a magazine counts its operations in
// (layout.Tally) goes through its low bits in a fixed order, so that of as many operations as the mask has values, one hits.

// SetGuardRate changes Options.GuardRate, while the heap is in use.
func (h *Heap) SetGuardRate(rate int) error {
	if h.closed.Load() {
		return errClosed
	}
	if rate < 0 || rate > mostGuardRate {
		return fmt.Errorf("glassheap: a guard rate of %d is out of range: it must lie from 0 to %d", rate, mostGuardRate)
	}
	h.lockPages()
	defer h.unlockPages()
	if rate == 0 {
		h.sampleHit.Store(1)
		h.sampleMask.Store(0)
		h.header().GuardRate = 0
		return nil
	}
	if err := h.readyGuards(); err != nil {
		return err
	}
	every := uint64(1) << bits.Len64(uint64(rate)-1)
	h.sampleMask.Store(every - 1)
	h.sampleHit.Store(rand.Uint64() & (every - 1))
	h.header().GuardRate = every
	return nil
}

// mallocSampled is Malloc for an allocation that sampling has chosen. The caller is pinned on p, whose magazine is m; it is
// not afterwards.
//
//go:noinline
func (h *Heap) mallocSampled(n, p int, m *layout.Magazine) (unsafe.Pointer, error) {
	m.Tally += layout.TallyAlloc + layout.TallyFree // or the next one would be chosen too
	unpin(p)
	if block := h.mallocGuarded(n); block != nil {
		return block, nil
	}
	return h.mallocUnsampled(n)
}

// mallocUnsampled is Malloc for an allocation that sampling chose and could not serve.
func (h *Heap) mallocUnsampled(n int) (unsafe.Pointer, error) {
	if h.auditing.Load() {
		return h.mallocAudited(n, false)
	}
	for {
		p := pin()
		c := &h.class[h.classOf[(uint(n)+7)/layout.ClassGrain]]
		if p < int(h.cachesReady.Load()) {
			m := h.magazine(p, c.bin)
			tally := m.Tally
			if top := uint(tally.Count() - 1); top < layout.MagazineBlocks {
				address := m.Blocks[top]
				block := h.pointer(address)
				if !h.sealed || h.isFree(block, address, c) {
					if h.sealed {
						writeSlack(block, uint32(n), c.size)
						*sealAt(block, c.size) = uint64(layout.MakeSeal(address, h.secret, n, layout.StateLive))
					}
					m.Tally = tally + layout.TallyAlloc
					unpin(p)
					return block, nil
				}
			}
		}
		if err := h.readyBlock(n, p); err != nil { // unpins
			return nil, err
		}
	}
}
