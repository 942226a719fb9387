package allocator

import (
	"errors"
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// SetLimit bounds from now on how much memory the heap's arenas take; 0: only Options.ReserveBytes does. bytes is rounded
// down to whole pages and must be one at least. It may be called while other goroutines use the heap.
//
// What counts is Stats.InUseBytes (the pages of slabs, of spans and their guard pages, and of spans that are held back; whole
// MiB for spans that are larger than one) and Stats.RetainedBytes (free pages that still hold memory). What does not count are
// the metadata (Stats.MetadataBytes, for blocks of 64 bytes about 4 % of the rest), the pool of guarded blocks (2 MiB), and the room
// that a named file takes on its disk by the MiB.
//
// An allocation that needs further pages above the limit first gives back what is idle: free pages, empty slabs, the blocks in
// the depots, and in the magazines and the quarantine of the P that it runs on, and spans that are held back. When that is not
// enough its error is a *LimitError. The magazines of other Ps keep what they hold, at most 32 KiB for each size class.
//
// A limit below what is in use breaks nothing: what is idle is given back at once, and until enough is freed no allocation
// gets a page. Those that find a free block in their slabs go on.
func (h *Heap) SetLimit(bytes int64) error {
	if h.closed.Load() {
		return errClosed
	}
	if bytes < 0 || bytes > 0 && bytes < layout.PageBytes {
		return fmt.Errorf("glassheap: heap %q can't be limited to %d bytes: choose 0 for no limit, or at least %d", h.options.Name, bytes, layout.PageBytes)
	}
	h.lockPages()
	h.header().MemoryLimit = uint64(bytes) &^ (layout.PageBytes - 1)
	above := h.admit(0) != nil
	h.unlockPages()
	if above {
		h.reclaim()
	}
	return nil
}

// admit gives the memory of free pages back as far as further pages in use need it to stay below the limit. The pages' lock is
// held.
func (h *Heap) admit(further uint64) error {
	head := h.header()
	limit := head.MemoryLimit
	if limit == 0 {
		return nil
	}
	wanted := (head.PagesInUse + further) * layout.PageBytes
	h.limitDirtyPages(max(0, int64(limit)-int64(wanted)))
	if h.huge.dirty > 0 && wanted+uint64(h.dirtyPages)*layout.PageBytes > limit {
		h.limitDirtyPages(0)
	}
	if wanted+uint64(h.dirtyPages)*layout.PageBytes <= limit { // the system may refuse to take pages back
		return nil
	}
	return &LimitError{LimitBytes: int64(limit), InUseBytes: int64(head.PagesInUse) * layout.PageBytes, WantedBytes: int64(further) * layout.PageBytes}
}

// LimitError says that the limit of SetLimit leaves no room for further pages.
type LimitError struct {
	LimitBytes  int64
	InUseBytes  int64 // that can't be given back
	WantedBytes int64 // pages beside these
}

// Error says what to do.
func (e *LimitError) Error() string {
	return fmt.Sprintf("the heap is at its limit of %d KiB: %d KiB are in use, and %d KiB more are wanted; free blocks, or raise the limit (SetLimit, Options.LimitBytes)",
		e.LimitBytes>>10, e.InUseBytes>>10, e.WantedBytes>>10)
}

// wantsRoom reports whether an allocation was refused because the heap is full, so that giving back what is idle may help.
func wantsRoom(err error) bool {
	var limit *LimitError
	var exhausted *ExhaustedError
	return errors.As(err, &limit) || errors.As(err, &exhausted)
}

// reclaim gives back all that is idle and may be touched from here, what is held back included.
func (h *Heap) reclaim() {
	_ = h.emptyQuarantine() // what can't leave it stays
	for i := range int(h.header().Identity.BinCount) {
		h.emptyMagazine(i)
		h.emptyDepot(i)
		h.releaseEmptySlabs(i, true)
	}
	h.lockPages()
	defer h.unlockPages()
	h.limitSpanQuarantine(0)
	h.retireArenas()
	_ = h.admit(0) // for what it gives back
}
