package allocator

import (
	"fmt"
	"math/bits"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Arenas and their page runs. Everything here is under the pages' lock. Offsets are in bytes from the first arena.

// takeRun finds the first run of free pages, in the order of addresses, whose first page's index is a multiple of align
// pages, retaking or mapping a further arena when no arena has one. The error is a *LimitError or a *ExhaustedError, or the system's. The
// run is not marked yet.
func (h *Heap) takeRun(pages, align int) (offset uint64, err error) {
	if err := h.admit(uint64(pages)); err != nil {
		return 0, err
	}
	head := h.header()
	size := bits.Len(uint(pages)) - 1 // an arena without a run of 2^size pages has none of this many
	for i := h.searchFrom[size]; i < head.ArenasUsed; i++ {
		a := h.arena(i)
		if a.State != layout.ArenaPages || int(a.FreePages) < pages {
			continue
		}
		if first, ok := h.firstFit(i, pages, align); ok {
			if align == 1 && pages == 1<<size {
				h.searchFrom[size] = i
			}
			return i*layout.ArenaBytes + uint64(first)*layout.PageBytes, nil
		}
	}
	i, retained := uint64(0), false
	if !h.huge.wanted {
		i, retained = h.takeRetained(1)
	}
	if !retained {
		if i, err = h.mapArenas(1); err != nil {
			return 0, err
		}
	}
	h.openArena(i)
	if retained {
		h.markDirty(i)
	} else {
		h.completePair(i)
	}
	OnArenaReady(h.arena(i))
	return i * layout.ArenaBytes, nil
}

// openArena makes an arena that was just mapped one for page runs.
func (h *Heap) openArena(i uint64) {
	a := h.arena(i)
	a.State = layout.ArenaPages
	a.FreePages = layout.PagesPerArena
	h.searchAgain(i) // it may lie below arenas that were searched before
}

// markDirty makes all pages of an arena that is free dirty: they have memory already.
func (h *Heap) markDirty(i uint64) {
	for page := range uint64(layout.PagesPerArena) {
		*h.pageEntry(i*layout.ArenaBytes + page*layout.PageBytes) = layout.MakePageEntry(layout.PageDirty, 0, 0, 0)
	}
	h.arena(i).DirtyPages = layout.PagesPerArena
	h.countDirty(i, layout.PagesPerArena)
}

// firstFit is the first run of free pages in one arena.
func (h *Heap) firstFit(arena uint64, pages, align int) (first int, ok bool) {
	for page := range layout.PagesPerArena {
		if h.pageEntry(arena*layout.ArenaBytes+uint64(page)*layout.PageBytes).Kind() > layout.PageDirty {
			first = page + 1
			continue
		}
		if first%align != 0 {
			first += align - first%align
		}
		if page+1-first >= pages {
			return first, true
		}
	}
	return 0, false
}

// markRun writes the entries of a run that takeRun found, and counts its pages out of the arena.
func (h *Heap) markRun(offset uint64, pages int, kind layout.PageKind, bin uint32, descriptor uint64) {
	a := h.arena(offset / layout.ArenaBytes)
	for i := range pages {
		e := h.pageEntry(offset + uint64(i)*layout.PageBytes)
		if e.Kind() == layout.PageDirty {
			a.DirtyPages--
			h.countDirty(offset/layout.ArenaBytes, -1)
		}
		*e = layout.MakePageEntry(kind, bin, i, descriptor)
	}
	a.FreePages -= uint32(pages)
	h.header().PagesInUse += uint64(pages)
}

// dropRun makes the pages of a run free, but dirty: they keep their memory until retireArenas or limitDirtyPages.
func (h *Heap) dropRun(offset uint64, pages int) {
	i := offset / layout.ArenaBytes
	a := h.arena(i)
	for page := range pages {
		*h.pageEntry(offset + uint64(page)*layout.PageBytes) = layout.MakePageEntry(layout.PageDirty, 0, 0, 0)
	}
	a.FreePages += uint32(pages)
	a.DirtyPages += uint32(pages)
	h.countDirty(i, pages)
	h.header().PagesInUse -= uint64(pages)
	h.searchAgain(i)
	if a.FreePages == layout.PagesPerArena {
		h.freeArenas = append(h.freeArenas, i)
	}
}

// searchAgain lets takeRun look into an arena that has got free pages.
func (h *Heap) searchAgain(arena uint64) {
	for size := range h.searchFrom {
		h.searchFrom[size] = min(h.searchFrom[size], arena)
	}
}

// retireArenas unmaps arenas that have become free, but for one (one pair on a huge page), which is kept for the next slab.
func (h *Heap) retireArenas() {
	kept := h.freeArenas[:0]
	for _, i := range h.freeArenas {
		first, count := h.pairOf(i)
		switch {
		case !h.areFree(first, count):
		case len(kept) == 0:
			kept = append(kept, first)
		case kept[0] != first:
			h.unmapArenas(first, count)
		}
	}
	h.freeArenas = kept
}

func (h *Heap) areFree(first, count uint64) bool {
	for i := first; i < first+count; i++ {
		if a := h.arena(i); a.State != layout.ArenaPages || a.FreePages != layout.PagesPerArena {
			return false
		}
	}
	return true
}

// unmapKeptArena unmaps the free arena that retireArenas kept; false when there is none.
func (h *Heap) unmapKeptArena() bool {
	for _, i := range h.freeArenas {
		if first, count := h.pairOf(i); h.areFree(first, count) {
			h.unmapArenas(first, count)
			return true
		}
	}
	return false
}

// limitDirtyPages gives the memory of free pages back to the system when there is more of it than most bytes, that of retained
// arenas first: but only when most is 0 of those on huge pages, which do not count else.
func (h *Heap) limitDirtyPages(most int64) {
	if most > 0 && int64(h.idleBytes()) <= most {
		return
	}
	if h.unmapRetained() && most > 0 && int64(h.idleBytes()) <= most {
		return
	}
	for i := range h.header().ArenasUsed {
		if a := h.arena(i); a.State == layout.ArenaPages && a.DirtyPages > 0 && (most == 0 || !h.huge.holds(i)) {
			h.cleanArena(i, a)
		}
	}
}

func (h *Heap) cleanArena(i uint64, a *layout.Arena) {
	if first, count := h.pairOf(i); count > 1 {
		h.takeApart(i)
		for half := first; half < first+count; half++ {
			if h.areFree(half, 1) {
				h.freeArenas = append(h.freeArenas, half) // it waited for the other half
			}
		}
	}
	for page := 0; page < layout.PagesPerArena; page++ {
		first := page
		for page < layout.PagesPerArena && h.pageEntry(i*layout.ArenaBytes+uint64(page)*layout.PageBytes).Kind() == layout.PageDirty {
			page++
		}
		if page == first {
			continue
		}
		offset := i*layout.ArenaBytes + uint64(first)*layout.PageBytes
		if h.memory.discard(h.dataOffset+offset, uint64(page-first)*layout.PageBytes) != nil {
			return // it stays dirty: nothing is lost but the memory
		}
		for p := first; p < page; p++ {
			*h.pageEntry(i*layout.ArenaBytes + uint64(p)*layout.PageBytes) = 0
		}
		a.DirtyPages -= uint32(page - first)
		h.countDirty(i, first-page)
	}
}

// mapArenas maps count neighbouring arenas, the first that are unmapped or were never used, and returns the index of the
// first. Their State is left to the caller.
func (h *Heap) mapArenas(count uint64) (uint64, error) {
	head := h.header()
	first, run := h.unmappedFrom, uint64(0)
	lowest := head.ArenasUsed
	for i := h.unmappedFrom; i < head.ArenasUsed && run < count; i++ {
		if h.arena(i).State == layout.ArenaUnmapped {
			lowest = min(lowest, i)
			run++
		} else {
			first, run = i+1, 0
		}
	}
	h.unmappedFrom = lowest
	if first+count > uint64(head.Identity.ArenasMax) {
		if h.unmapRetained() || h.unmapKeptArena() {
			return h.mapArenas(count) // they may have stood in the way
		}
		return 0, h.exhausted(count)
	}
	return first, h.mapAt(first, count)
}

// mapAt maps arenas that are unmapped or were never used.
func (h *Heap) mapAt(first, count uint64) error {
	head := h.header()
	end := max(head.ArenasUsed, first+count)
	if err := h.commitArenas(end); err != nil {
		return err
	}
	if err := h.memory.commit(h.dataOffset+first*layout.ArenaBytes, count*layout.ArenaBytes); err != nil {
		return fmt.Errorf("the system gave no memory for %d more MiB: %w", count, err)
	}
	for i := first; i < first+count; i++ {
		*h.arena(i) = layout.Arena{ID: uint32(i), Base: h.data + i*layout.ArenaBytes}
	}
	head.ArenasMapped += count
	head.ArenasUsed = end
	h.dataUsed.Store(max(h.dataUsed.Load(), end*layout.ArenaBytes))
	h.setQuick()
	return nil
}

// unmapArenas gives arenas back to the system, memory and mapping.
func (h *Heap) unmapArenas(first, count uint64) {
	head := h.header()
	for i := first; i < first+count; i++ {
		a := h.arena(i)
		h.takeApart(i)
		h.countDirty(i, -int(a.DirtyPages))
		*a = layout.Arena{ID: uint32(i), State: layout.ArenaUnmapped, Base: h.data + i*layout.ArenaBytes}
		for page := range uint64(layout.PagesPerArena) {
			*h.pageEntry(i*layout.ArenaBytes + page*layout.PageBytes) = 0
		}
	}
	head.ArenasMapped -= count
	h.unmappedFrom = min(h.unmappedFrom, first)
	h.memory.release(h.dataOffset+first*layout.ArenaBytes, count*layout.ArenaBytes)
}

// commitArenas makes the table and the page map usable for this many arenas.
func (h *Heap) commitArenas(count uint64) error {
	const entries = layout.PagesPerArena * layout.PageEntryBytes // of one arena, in bytes
	most := uint64(h.header().Identity.ArenasMax)
	if err := h.grow(&h.arenasReady, h.offset(h.arenas), count*layout.ArenaDescriptorBytes, most*layout.ArenaDescriptorBytes, tableChunk); err != nil {
		return err
	}
	return h.grow(&h.pageMapReady, h.offset(h.pageMap), count*entries, most*entries, tableChunk)
}

func (h *Heap) exhausted(arenas uint64) error {
	head := h.header()
	err := &ExhaustedError{ReserveBytes: int64(head.Identity.ArenasMax) * layout.ArenaBytes, MappedBytes: int64(head.ArenasMapped) * layout.ArenaBytes,
		WantedBytes: int64(arenas) * layout.ArenaBytes, ShortageBytes: int64(head.ReserveShortage)}
	return err
}

// ExhaustedError says that the reserve has no room for a further arena.
type ExhaustedError struct {
	ReserveBytes  int64 // address space for blocks
	MappedBytes   int64 // of these, in use
	WantedBytes   int64 // in one piece
	ShortageBytes int64 // how much less than Options.ReserveBytes the system had granted
}

// Error says what to do.
func (e *ExhaustedError) Error() string {
	text := fmt.Sprintf("the reserve is exhausted: %d MiB of %d MiB are mapped and no %d MiB in one piece are left; raise Options.ReserveBytes",
		e.MappedBytes>>20, e.ReserveBytes>>20, e.WantedBytes>>20)
	if e.ShortageBytes > 0 {
		text += fmt.Sprintf(" (the system had refused %d MiB of it: see ulimit -v)", e.ShortageBytes>>20)
	}
	return text
}
