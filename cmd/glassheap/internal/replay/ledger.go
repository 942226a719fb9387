package replay

import (
	"cmp"
	"slices"

	"github.com/glassheap/glassheap/internal/mtrace"
)

// ledger keeps the recording's books: what is live by its own account, and the counts. It turns events into steps.
type ledger struct {
	live   map[uint64]entry // by the address that the block had in the recorded program
	counts Counts
	births uint64 // blocks so far; it numbers them

	handedOver uint64
}

// entry is a live block. Its size here is ahead of the block's own, which the goroutines keep.
type entry struct {
	block *block
	size  uint64
}

func newLedger() ledger { return ledger{live: map[uint64]entry{}} }

// beginPass starts the counts anew. Nothing may be live.
func (l *ledger) beginPass() {
	l.counts, l.handedOver = Counts{}, 0
}

// record books an event and adds what must be done for it to the round.
func (l *ledger) record(e *mtrace.Event, next *round) {
	next.items++
	switch e.Op {
	case mtrace.Alloc:
		if e.Address == 0 {
			l.counts.FailedAllocs++
			return
		}
		l.counts.Allocs++
		l.replace(e, next)
		l.bear(e, next)
	case mtrace.Free:
		if e.Address == 0 {
			return // free of a null pointer is allowed, and nothing
		}
		l.counts.Frees++
		if !l.bury(e.Address, e.Line, next) {
			l.counts.UnknownFrees++
		}
	case mtrace.Realloc:
		if e.Address == 0 {
			l.counts.FailedAllocs++
			return
		}
		l.counts.Reallocs++
		l.resize(e, next)
	case mtrace.FailedRealloc:
		l.counts.FailedAllocs++
	}
	l.counts.PeakLiveBlocks = max(l.counts.PeakLiveBlocks, l.counts.LiveBlocks)
	l.counts.PeakLiveBytes = max(l.counts.PeakLiveBytes, l.counts.LiveBytes)
}

// bear makes a new block at the event's address.
func (l *ledger) bear(e *mtrace.Event, next *round) {
	b := &block{number: l.births, line: e.Line, caller: e.Caller}
	l.births++
	b.birthplace = next.goroutine(b)
	l.enter(e.Address, entry{block: b, size: e.Size})
	next.add(step{kind: stepAlloc, block: b, size: e.Size, address: e.Address, line: e.Line})
}

// bury frees the block at address; false: there is none.
func (l *ledger) bury(address uint64, line int, next *round) bool {
	old, known := l.leave(address)
	if !known {
		return false
	}
	if next.goroutine(old.block) != old.block.birthplace {
		l.handedOver++
	}
	next.add(step{kind: stepFree, block: old.block, size: old.size, address: address, line: line})
	return true
}

// replace frees a block that is in the way of the event's new one.
func (l *ledger) replace(e *mtrace.Event, next *round) {
	if l.bury(e.Address, e.Line, next) {
		l.counts.LostFrees++
	}
}

// resize moves the books of a realloc.
func (l *ledger) resize(e *mtrace.Event, next *round) {
	old, known := l.leave(e.Old)
	l.replace(e, next)
	if !known {
		l.counts.UnknownReallocs++
		l.bear(e, next)
		return
	}
	l.enter(e.Address, entry{block: old.block, size: e.Size})
	next.add(step{kind: stepRealloc, block: old.block, size: e.Size, address: e.Old, line: e.Line})
}

// held is a live block with its address in the recorded program.
type held struct {
	address uint64
	block   *block
}

// oldestFirst is all that is live.
func (l *ledger) oldestFirst() []held {
	all := make([]held, 0, len(l.live))
	for address, entry := range l.live {
		all = append(all, held{address, entry.block})
	}
	slices.SortFunc(all, func(a, b held) int { return cmp.Compare(a.block.number, b.block.number) })
	return all
}

// release adds the free of a live block that the recording does not ask for.
func (l *ledger) release(h held, next *round) {
	next.items++
	l.bury(h.address, h.block.line, next)
}

func (l *ledger) enter(address uint64, made entry) {
	l.live[address] = made
	l.counts.LiveBlocks++
	l.counts.LiveBytes += made.size
}

func (l *ledger) leave(address uint64) (old entry, known bool) {
	if old, known = l.live[address]; known {
		delete(l.live, address)
		l.counts.LiveBlocks--
		l.counts.LiveBytes -= old.size
	}
	return old, known
}
