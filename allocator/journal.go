package allocator

import (
	"fmt"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator/layout"
)

// sequenceBatch is how many numbers a P reserves at a time. It is the price of numbers without an atomic operation for each:
// between Ps their order is only roughly that of time.
const sequenceBatch = 64

// readyJournals makes the journals of the first count Ps usable. The pages' lock is held.
func (h *Heap) readyJournals(count int) error {
	head := h.header()
	ready := head.JournalsReady
	if uint64(count) <= ready {
		return nil
	}
	if err := h.memory.commit(h.offset(h.journals)+ready*layout.JournalBytes, (uint64(count)-ready)*layout.JournalBytes); err != nil {
		return fmt.Errorf("the system gave no memory for the journals: %w", err)
	}
	for i := int(ready); i < count; i++ {
		j := h.journal(i)
		j.ID, j.Ready = uint32(i), 1
	}
	head.JournalsReady = uint64(count)
	h.countJournals()
	return nil
}

// countJournals says how many Ps can be audited. The pages' lock is held.
func (h *Heap) countJournals() {
	h.journalsReady.Store(int32(min(h.header().JournalsReady, h.header().CachesReady)))
}

// number writes an event about a span and returns its number; 0 when this P has no journal yet.
func (h *Heap) number(kind layout.EventKind, address, size uint64, by caller) (sequence uint64) {
	p := pin()
	if p < int(h.journalsReady.Load()) {
		sequence = h.write(h.journal(p), kind, address, int(size), by)
	}
	unpin(p)
	return sequence
}

// write adds an event to the log of the P that the caller is pinned on, and returns its number.
func (h *Heap) write(j *layout.Journal, kind layout.EventKind, address uint64, size int, by caller) uint64 {
	if j.Sequence == j.SequenceEnd {
		j.SequenceEnd = atomic.AddUint64(&h.header().Sequence, sequenceBatch)
		j.Sequence = j.SequenceEnd - sequenceBatch
	}
	sequence := j.Sequence
	j.Sequence++
	// Field by field: a struct that is made first and then copied waits for its own stores.
	e := &j.Log[j.Events%layout.LogEvents]
	e.Sequence, e.Address, e.Goroutine, e.Size, e.Stack, e.Kind = sequence, address, by.goroutine, uint64(size), by.stack, kind
	j.Events++
	return sequence
}
