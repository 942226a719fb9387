package layout

import "unsafe"

// GuardSlots is how many guarded allocations can be live, or remembered, at a time.
const GuardSlots = 512

// GuardState is where a guard slot is in its life.
type GuardState uint32

const (
	GuardVirgin GuardState = 0 // was never used
	GuardLive   GuardState = 0x6c697665
	GuardFreed  GuardState = 0x66726565 // its page is inaccessible until it is used again
)

// String is the word that every output uses for the state.
func (s GuardState) String() string {
	switch s {
	case GuardVirgin:
		return "virgin"
	case GuardLive:
		return "live"
	case GuardFreed:
		return "freed"
	}
	return "no state"
}

// GuardSlot is one sampled allocation on a page of its own between two inaccessible ones (as in GWP-ASan and KFENCE). What
// is left of the page carries the slack pattern. It is written under Header.PagesLock.
type GuardSlot struct {
	Address   uint64 // the user's: at the page's start, or so that the allocation ends at the page's end
	Requested uint64 // bytes that were asked for
	State     GuardState
	Check     uint32 // Sum of the fields above; 0 while the slot was never used
	Record    Record
}

// Sum is the checksum that a used slot carries: nothing else tells a wrong size of a freed one.
func (s *GuardSlot) Sum() uint32 {
	return uint32(HashStack([]uint64{s.Address, s.Requested, uint64(s.State)}) >> 32)
}

// GuardPool is the slots, and behind them the pages: slot i has page 2i+1, the even ones are always inaccessible. Slots
// are used in turn, so that a freed one stays inaccessible for as long as can be.
type GuardPool struct {
	Ready  uint64 // 1 when initialised
	Next   uint64 `layout:"statistic"` // where the search for a slot begins
	Live   uint64 // slots with a live allocation
	Missed uint64 `layout:"statistic"` // sampled allocations that no slot serves; the magazines count each as one that was freed at once
	_      [32]byte
	Slots  [GuardSlots]GuardSlot
}

// GuardPoolBytes is the size of a GuardPool without its pages, in whole pages.
const GuardPoolBytes = (uint64(unsafe.Sizeof(GuardPool{})) + PageBytes - 1) &^ (PageBytes - 1)

// GuardPagesBytes is the size of the pool's pages.
const GuardPagesBytes = (2*GuardSlots + 1) * PageBytes

// GuardPage is how far from the first of the pool's pages the page of slot i lies.
func GuardPage(i int) uint64 { return uint64(2*i+1) * PageBytes }
