package allocator

import (
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// Sampling costs the fast path an addition and a comparison, no counter. The word that a magazine counts its operations in
// (layout.Tally) grows by a large fraction of its range with each, so its upper bits come by all their values evenly (a Weyl
// sequence): of as many operations as k bits have values, one finds them all zero. Each bin begins elsewhere, so that not all
// are chosen at a time.

// SetGuardRate changes Options.GuardRate, while the heap is in use.
func (h *Heap) SetGuardRate(rate int) error {
	return h.setRate("guard", rate, &h.header().GuardRate, h.readyGuards)
}

// SetProfileRate changes Options.ProfileRate, while the heap is in use.
func (h *Heap) SetProfileRate(rate int) error {
	if rate > 0 && !h.sealed {
		return fmt.Errorf("glassheap: heap %q is plain: without seals nothing tells which blocks are recorded", h.options.Name)
	}
	return h.setRate("profile", rate, &h.header().ProfileRate, h.readyProfile)
}

// SampledRate is of how many blocks it is recorded for one who allocated it, so that Leaks estimates; 0: for all or for none.
func (h *Heap) SampledRate() uint64 {
	if h.closed.Load() {
		return 0
	}
	return h.sampledRate()
}

// sampledRate is SampledRate in a heap that is being closed, too.
func (h *Heap) sampledRate() uint64 {
	head := h.header()
	return report.SampledRate(h.Mode(), atomic.LoadUint64(&head.ProfileRate), atomic.LoadUint64(&head.GuardRate))
}

// setRate changes one of the rates and what the fast path samples by.
func (h *Heap) setRate(name string, rate int, stored *uint64, ready func() error) error {
	if h.closed.Load() {
		return errClosed
	}
	if rate < 0 || rate > mostRate {
		return fmt.Errorf("glassheap: a %s rate of %d is out of range: it must lie from 0 to %d", name, rate, mostRate)
	}
	h.lockPages()
	defer h.unlockPages()
	every := uint64(0)
	if rate > 0 {
		if err := ready(); err != nil {
			return err
		}
		every = 1 << bits.Len64(uint64(rate)-1)
	}
	atomic.StoreUint64(stored, every)
	h.setSampling()
	return nil
}

// setSampling makes the fast path sample as often as the rate that asks for the most. The pages' lock is held.
func (h *Heap) setSampling() {
	guard, profile := h.header().GuardRate, h.header().ProfileRate
	every := min(guard, profile)
	if every == 0 {
		every = max(guard, profile)
	}
	if every == 0 {
		h.sampleBelow.Store(0)
		return
	}
	h.sampleEvery.Store(every)
	h.sampleBelow.Store(math.MaxUint64 / every)
}

// readyProfile makes usable what records need. The pages' lock is held.
func (h *Heap) readyProfile() error {
	learnGoroutineWord()
	if err := h.readyJournals(int(h.cachesReady.Load())); err != nil {
		return err
	}
	return h.readyStacks()
}

// chosen reports whether what sampling has chosen for the i-th time is for the purpose with this rate. The caller may be pinned. A
// rate that is being changed may be above that of the sampling, for a moment: then each is.
func (h *Heap) chosen(rate *uint64, i uint64) bool {
	every := atomic.LoadUint64(rate)
	return every != 0 && i%max(1, every/h.sampleEvery.Load()) == 0
}

// samples reports whether sampling chooses the next allocation of a magazine with this tally.
func (h *Heap) samples(tally layout.Tally, c *class) bool {
	return uint64(tally)+c.phase < h.sampleBelow.Load()
}

// mallocSampled is malloc for an allocation that sampling has chosen. The caller is pinned on p; it is not afterwards.
//
//go:noinline
func (h *Heap) mallocSampled(n, p int) (unsafe.Pointer, error) {
	i := h.sampled.Add(1)
	guard := n <= layout.PageBytes && h.chosen(&h.header().GuardRate, i)
	if guard {
		// It counts as one of the magazine's operations, or the next one would be chosen too. Stats knows.
		h.magazine(p, h.binOf(n)).Tally += layout.TallyAlloc + layout.TallyFree
	}
	unpin(p)
	if guard {
		if block := h.mallocGuarded(n); block != nil {
			return block, nil
		}
	}
	block, err := h.mallocAudited(n, false)
	if err == nil && h.chosen(&h.header().ProfileRate, i) {
		h.recordBlock(block, n)
	}
	return block, err
}

// mallocSlowly is Malloc for what sampling chose and could not serve, in a heap that is not audited.
func (h *Heap) mallocSlowly(n int) (unsafe.Pointer, error) {
	c := &h.class[h.binOf(n)]
	for {
		p := pin()
		if p < int(h.cachesReady.Load()) {
			m := h.magazine(p, c.bin)
			if count := m.Tally.Count(); count > 0 {
				address := m.Blocks[count-1]
				if block := h.pointer(address); !h.sealed || *sealAt(block, c.size) == layout.SealHash(address, h.secret)|uint64(layout.StateFree) {
					if h.sealed {
						writeSlack(block, uint32(n), c.size)
						*sealAt(block, c.size) = uint64(layout.MakeSeal(address, h.secret, n, layout.StateLive))
					}
					m.Tally += layout.TallyAlloc
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

// recordBlock records who allocates a block that was made just now, unless that is done already.
func (h *Heap) recordBlock(block unsafe.Pointer, n int) {
	address := uint64(uintptr(block))
	c := &h.class[uint8(h.pageEntry(address-h.data).Bin())]
	seal := sealAt(block, c.size)
	if layout.Seal(*seal).State() != layout.StateLive {
		return
	}
	by := h.whoCalls(skipMalloc)
	s, index := h.slabAndIndex(address)
	if s.Records == 0 {
		h.lockPages()
		h.recordSlab(s, h.bin(int(c.bin)).Capacity)
		h.unlockPages()
	}
	r := h.record(s, index)
	if r == nil {
		return
	}
	r.AllocSequence, r.AllocGoroutine, r.AllocStack = h.number(layout.EventAlloc, address, uint64(n), by), by.goroutine, by.stack
	*seal = uint64(layout.MakeSeal(address, h.secret, n, layout.StateRecorded))
}
