package allocator

import (
	"runtime"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Between the fast path and the slabs: batches of half a magazine move under the bin's lock. A batch is never in a
// goroutine's hands alone: it is in a magazine, in the depot or on a slab's list, or the lock that is held says that it moves.

// spinsBeforeYield is how often a bin's lock is tried before the processor is given up. Its holder is pinned and moves at
// most one batch, so the wait is short unless the system took the processor from it.
const spinsBeforeYield = 64

// lockBin pins the caller and takes the bin's lock. It returns the cache that is the caller's.
func (h *Heap) lockBin(b *layout.Bin) int {
	for {
		p := pin()
		for range spinsBeforeYield {
			if tryLock(&b.Lock, p) {
				return p
			}
		}
		unpin(p)
		runtime.Gosched()
	}
}

func (h *Heap) unlockBin(b *layout.Bin, p int) {
	unlock(&b.Lock)
	unpin(p)
}

// refill brings a batch of blocks into the magazine of whichever P the caller is on by then.
func (h *Heap) refill(bin int) error {
	for {
		if h.closed.Load() {
			return errClosed
		}
		b := h.bin(bin)
		p := h.lockBin(b)
		if p >= int(h.cachesReady.Load()) {
			h.unlockBin(b, p)
			if err := h.readyCaches(p + 1); err != nil {
				return err
			}
			continue
		}
		m := h.readyMagazine(p, b)
		took := 0
		if m.Tally.Count() == 0 {
			took = h.takeBatch(b, m)
		}
		filled := m.Tally.Count() > 0
		h.unlockBin(b, p)
		if filled || took > 0 {
			return nil
		}
		if err := h.growBin(bin); err != nil {
			return err
		}
	}
}

// readyMagazine initialises the magazine when it is used for the first time. The caller is pinned.
func (h *Heap) readyMagazine(p int, b *layout.Bin) *layout.Magazine {
	m := h.magazine(p, uint8(b.ID))
	if m.Limit == 0 {
		m.Bin = b.ID
		m.Limit = b.Magazine
	}
	return m
}

// takeBatch moves up to half a magazine of blocks into m: one batch of the depot, else from the slabs. The lock is held.
func (h *Heap) takeBatch(b *layout.Bin, m *layout.Magazine) int {
	n := 0
	if b.Depot != 0 {
		d := at[layout.Magazine](h, uint64(b.Depot))
		n = d.Tally.Count()
		copy(m.Blocks[m.Tally.Count():], d.Blocks[:n])
		h.retireDepotMagazine(b)
	} else {
		n = h.takeFromSlabs(b, m)
	}
	m.Inflow += int64(n)
	m.Tally += layout.Tally(n)
	b.LentBlocks += int64(n)
	return n
}

// retireDepotMagazine makes the depot's first magazine, whose blocks have gone elsewhere, a spare one. The lock is held.
func (h *Heap) retireDepotMagazine(b *layout.Bin) {
	ref := b.Depot
	d := at[layout.Magazine](h, uint64(ref))
	b.DepotBlocks -= uint64(d.Tally.Count())
	b.Depot = d.Next
	d.Tally, d.Inflow, d.Limit = 0, 0, 0
	d.Next, b.DepotEmpty = b.DepotEmpty, ref
	b.DepotCount--
	b.DepotSpare++
}

// flush makes room in the full magazine of whichever P the caller is on by then: its upper half goes to the depot, or back
// to the slabs when the depot holds enough.
func (h *Heap) flush(bin int) error {
	b := h.bin(bin)
	depotFull := false
	for {
		if h.closed.Load() {
			return errClosed
		}
		p := h.lockBin(b)
		if p >= int(h.cachesReady.Load()) {
			h.unlockBin(b, p)
			if err := h.readyCaches(p + 1); err != nil {
				return err
			}
			continue
		}
		m := h.readyMagazine(p, b)
		if m.Tally.Count() < int(m.Limit) {
			h.unlockBin(b, p)
			return nil
		}
		batch := int(b.Magazine / 2)
		toDepot := !depotFull && b.DepotBlocks+uint64(batch) <= depotBytes/uint64(b.Stride)
		if toDepot && b.DepotEmpty == 0 {
			h.unlockBin(b, p)
			depotFull = h.addSpareMagazine(b) != nil // no memory for one: the slabs need none
			continue
		}
		h.unload(b, m, batch, toDepot)
		idle := tooManyEmpty(b)
		h.unlockBin(b, p)
		if idle {
			h.releaseEmptySlabs(bin, false)
		}
		h.wakeScavenger()
		return nil
	}
}

// unload moves the upper count blocks of the magazine to the depot, where there must be a spare one, or to the slabs. The lock is
// held, and the caller is pinned on the magazine's P.
func (h *Heap) unload(b *layout.Bin, m *layout.Magazine, count int, toDepot bool) {
	rest := m.Tally.Count() - count
	gone := count
	if toDepot {
		h.putInDepot(b, m.Blocks[rest:rest+count])
	} else {
		for _, address := range m.Blocks[rest : rest+count] {
			if !h.giveBack(b, address) {
				gone--
				m.Tally += layout.TallyAlloc // see withdrawTop
			}
		}
	}
	m.Tally -= layout.Tally(gone)
	m.Inflow -= int64(gone)
	b.LentBlocks -= int64(gone)
}

// emptyMagazine brings every block in the magazine of whichever P the caller is on by then back to the slabs.
func (h *Heap) emptyMagazine(bin int) {
	b := h.bin(bin)
	p := h.lockBin(b)
	if p < int(h.cachesReady.Load()) {
		m := h.magazine(p, uint8(bin))
		h.unload(b, m, m.Tally.Count(), false)
	}
	h.unlockBin(b, p)
}

// depotBytes is how many bytes of blocks the depot of one bin holds at most.
const depotBytes = 1 << 20

// putInDepot moves blocks into a spare magazine and that into the depot. The lock is held and there is a spare one.
func (h *Heap) putInDepot(b *layout.Bin, blocks []uint64) {
	ref := b.DepotEmpty
	d := at[layout.Magazine](h, uint64(ref))
	b.DepotEmpty = d.Next
	copy(d.Blocks[:], blocks)
	d.Tally, d.Inflow, d.Limit = layout.Tally(len(blocks)), int64(len(blocks)), b.Magazine
	d.Next, b.Depot = b.Depot, ref
	b.DepotSpare--
	b.DepotCount++
	b.DepotBlocks += uint64(len(blocks))
}

// addSpareMagazine cuts a magazine for the bin's depot from the descriptors.
func (h *Heap) addSpareMagazine(b *layout.Bin) error {
	h.lockPages()
	defer h.unlockPages()
	address, err := h.cutDescriptor(layout.MagazineBytes)
	if err != nil {
		return err
	}
	p := h.lockBin(b)
	m := at[layout.Magazine](h, address)
	*m = layout.Magazine{Bin: b.ID, Next: b.DepotEmpty}
	b.DepotEmpty = layout.Ref[layout.Magazine](address)
	b.DepotSpare++
	h.unlockBin(b, p)
	return nil
}

// emptyDepot brings every block of the depot back to the slabs. What lies in the Ps' magazines stays there: only their Ps
// may touch it.
func (h *Heap) emptyDepot(bin int) {
	b := h.bin(bin)
	for {
		p := h.lockBin(b)
		if b.Depot == 0 {
			h.unlockBin(b, p)
			return
		}
		if p >= int(h.cachesReady.Load()) {
			h.unlockBin(b, p)
			if h.readyCaches(p+1) != nil {
				return // what is in the depot stays there
			}
			continue
		}
		d := at[layout.Magazine](h, uint64(b.Depot))
		n := d.Tally.Count()
		for _, address := range d.Blocks[:n] {
			if !h.giveBack(b, address) {
				// As if it had come back into this P's magazine, to be thrown out there: see withdrawTop.
				m := h.readyMagazine(p, b)
				m.Inflow++
				m.Tally += 1 + layout.TallyAlloc
				b.LentBlocks++
			}
		}
		h.retireDepotMagazine(b)
		h.unlockBin(b, p)
	}
}
