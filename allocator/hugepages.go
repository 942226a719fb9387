package allocator

import (
	"errors"
	"syscall"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Huge pages: with Options.HugePages the arenas of slabs and spans come in pairs, which the system puts on one huge page before
// anything lies there. All pages of such a pair hold memory, so its free pages are dirty. Giving a part of them back would take the huge
// page apart: that is done only where everything free is given back. Whole pairs come and go. All of it is under the pages' lock.

// hugeBytes is the size of a huge page, where the heap can have them.
const hugeBytes = 2 << 20

const arenasOfPair = hugeBytes / layout.ArenaBytes

// hugePages is what the heap knows of its huge pages.
type hugePages struct {
	wanted bool
	of     []bool // by arena: it lies on a huge page
	dirty  int    // free pages there
}

func (g *hugePages) holds(arena uint64) bool { return arena < uint64(len(g.of)) && g.of[arena] }

// pairOf is the pair that an arena on a huge page is half of; any other is by itself.
func (h *Heap) pairOf(arena uint64) (first, count uint64) {
	if !h.huge.holds(arena) {
		return arena, 1
	}
	return arena - (h.dataOffset/layout.ArenaBytes+arena)%arenasOfPair, arenasOfPair
}

// completePair maps the neighbour of an arena that was just mapped, so that both lie on one huge page. When it can't be had, the arena is
// one like any other.
func (h *Heap) completePair(first uint64) {
	head := h.header()
	second := first + 1
	switch {
	case !h.huge.wanted,
		(h.dataOffset+first*layout.ArenaBytes)%hugeBytes != 0,
		second >= uint64(head.Identity.ArenasMax),
		second < head.ArenasUsed && h.arena(second).State != layout.ArenaUnmapped:
		return
	case head.MemoryLimit > 0 && (head.PagesInUse+uint64(h.dirtyPages))*layout.PageBytes+hugeBytes > head.MemoryLimit:
		return
	}
	if h.mapAt(second, 1) != nil {
		return
	}
	h.openArena(second)
	OnArenaReady(h.arena(second))
	if err := h.memory.collapse(h.dataOffset+first*layout.ArenaBytes, hugeBytes); err != nil {
		errno := syscall.ENOTSUP
		errors.As(err, &errno)
		head.HugePagesRefused = uint64(errno)
		h.freeArenas = append(h.freeArenas, second)
		// What is short may be there another time; anything else will be refused again.
		h.huge.wanted = errno == syscall.ENOMEM || errno == syscall.EAGAIN || errno == syscall.EBUSY
		return
	}
	h.huge.of = append(h.huge.of, make([]bool, max(0, int(second)+1-len(h.huge.of)))...)
	for i := first; i <= second; i++ {
		h.huge.of[i] = true
		h.markDirty(i)
	}
	head.HugeBytes += hugeBytes
}

// takeApart takes notice that a part of the pair's memory is about to be given back.
func (h *Heap) takeApart(arena uint64) {
	first, count := h.pairOf(arena)
	if count == 1 {
		return
	}
	for i := first; i < first+count; i++ {
		h.huge.of[i] = false
		h.huge.dirty -= int(h.arena(i).DirtyPages)
	}
	h.header().HugeBytes -= hugeBytes
}

// countDirty counts pages of an arena that became dirty, or were.
func (h *Heap) countDirty(arena uint64, pages int) {
	h.dirtyPages += pages
	if h.huge.holds(arena) {
		h.huge.dirty += pages
	}
	h.dirtyLeast = min(h.dirtyLeast, h.idlePages())
}

// idlePages are the dirty pages that can be given back one by one, and those of retained arenas.
func (h *Heap) idlePages() int { return h.dirtyPages - h.huge.dirty }

func (h *Heap) idleBytes() uint64 { return uint64(h.idlePages()) * layout.PageBytes }
