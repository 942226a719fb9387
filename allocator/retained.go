package allocator

import "github.com/glassheap/glassheap/allocator/layout"

// The arenas of huge spans that were freed keep their memory for whoever needs arenas next: to fault it in anew takes more than ten
// times as long as to make it accessible again. Until then they are inaccessible, so that a use after free faults as if they were
// unmapped. Everything here is under the pages' lock.

// retainArenas keeps the arenas of a huge span that was freed; false: it is too large for Options.RetainBytes, or the system
// refuses. In audit mode huge spans are zero when they are new, so theirs are not kept.
func (h *Heap) retainArenas(first, count uint64) bool {
	bytes := count * layout.ArenaBytes
	if h.auditing.Load() || bytes > uint64(h.options.RetainBytes) {
		return false
	}
	if h.idleBytes()+bytes > uint64(h.options.RetainBytes) {
		h.unmapRetained() // what was freed last is wanted soonest
	}
	if h.memory.conceal(h.dataOffset+first*layout.ArenaBytes, bytes) != nil {
		return false
	}
	*h.pageEntry(first * layout.ArenaBytes) = 0
	for i := first; i < first+count; i++ {
		*h.arena(i) = layout.Arena{ID: uint32(i), State: layout.ArenaRetained, Base: h.data + i*layout.ArenaBytes, DirtyPages: layout.PagesPerArena}
		h.countDirty(i, layout.PagesPerArena)
	}
	h.retainedFrom = min(h.retainedFrom, first)
	return true
}

// takeRetained makes the first count neighbouring arenas accessible that are retained; false: there are none. Their State is left
// to the caller, as by mapArenas.
func (h *Heap) takeRetained(count uint64) (first uint64, ok bool) {
	first, run := h.nextRetained(h.retainedFrom)
	h.retainedFrom = first
	for run > 0 && run < count {
		first, run = h.nextRetained(first + run)
	}
	if run == 0 || h.memory.reveal(h.dataOffset+first*layout.ArenaBytes, count*layout.ArenaBytes) != nil {
		return 0, false
	}
	for i := first; i < first+count; i++ {
		h.countDirty(i, -layout.PagesPerArena)
		*h.arena(i) = layout.Arena{ID: uint32(i), Base: h.data + i*layout.ArenaBytes}
	}
	return first, true
}

// nextRetained is the first run of neighbouring arenas from one on that are retained, and how many they are; 0: there are none.
func (h *Heap) nextRetained(from uint64) (first, count uint64) {
	used := h.header().ArenasUsed
	for first = from; first < used && h.arena(first).State != layout.ArenaRetained; first++ {
	}
	for first+count < used && h.arena(first+count).State == layout.ArenaRetained {
		count++
	}
	return first, count
}

// unmapRetained gives back all arenas that are retained; false when there are none.
func (h *Heap) unmapRetained() bool {
	first, count := h.nextRetained(h.retainedFrom)
	if count == 0 {
		return false
	}
	for count > 0 {
		h.unmapArenas(first, count)
		first, count = h.nextRetained(first + count)
	}
	h.retainedFrom = first
	return true
}
