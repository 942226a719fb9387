package allocator

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Large allocations: page runs, and whole arenas above that, each with a guard page behind it. All of it is under the
// pages' lock: system calls for the guards dwarf it.

const guardPages = 1

// mallocSpan allocates n bytes at a multiple of align, which is a power of two up to an arena.
func (h *Heap) mallocSpan(n, align int) (unsafe.Pointer, error) {
	if h.closed.Load() {
		return nil, errClosed // there is no header any more
	}
	limit := h.mostBytes()
	switch {
	case n < 0:
		return nil, &SizeError{Size: n, Limit: limit, Reason: "the size is negative"}
	case int64(n) > limit:
		return nil, &SizeError{Size: n, Limit: limit, Reason: "it is larger than the whole heap"}
	}
	var by caller
	recorded := h.auditing.Load() || atomic.LoadUint64(&h.header().ProfileRate) != 0 // of what is large, a profile knows all
	if recorded {
		by = h.whoCalls(skipMalloc)
	}
	h.lockPages()
	guarded := h.guardsNextSpan()
	s, err := h.makeSpan(uint64(n), align, guarded)
	if wantsRoom(err) {
		h.unlockPages()
		h.reclaim()
		h.lockPages()
		s, err = h.makeSpan(uint64(n), align, guarded)
	}
	if err != nil {
		h.unlockPages()
		return nil, fmt.Errorf("glassheap: no span for %d bytes in heap %q: %w", n, h.options.Name, err)
	}
	if h.auditing.Load() {
		h.freshen(s)
		recorded = true
	}
	if recorded {
		h.recordSpan(s, by)
	}
	user := s.User()
	h.unlockPages()
	h.watched(user, n, by)
	return h.pointer(user), nil
}

// mostBytes is the largest request that could be granted if all of the reserve were free.
func (h *Heap) mostBytes() int64 {
	return int64(h.header().Identity.ArenasMax)*layout.ArenaBytes - guardPages*layout.PageBytes - int64(h.options.Mode.SealBytes())
}

// guardsNextSpan reports whether sampling has chosen the next span.
func (h *Heap) guardsNextSpan() bool {
	rate := h.header().GuardRate
	if rate == 0 {
		return false
	}
	h.spansSampled++
	return h.spansSampled%rate == 0
}

func (h *Heap) makeSpan(n uint64, align int, guarded bool) (*layout.Span, error) {
	seal := uint64(h.options.Mode.SealBytes())
	if guarded {
		seal = 0
	}
	pages := max(1, (n+seal+layout.PageBytes-1)/layout.PageBytes)
	address, err := h.spanDescriptor()
	if err != nil {
		return nil, err
	}
	place := address - h.header().Identity.Descriptors
	s := at[layout.Span](h, address)
	var offset uint64
	if pages+guardPages > layout.PagesPerArena {
		offset, err = h.takeArenas(pages + guardPages)
		if err == nil {
			*h.pageEntry(offset) = layout.MakePageEntry(layout.PageSpan, 0, 0, place)
		}
	} else {
		offset, err = h.takeRun(int(pages)+guardPages, max(1, align/layout.PageBytes))
		if err == nil {
			h.markRun(offset, int(pages), layout.PageSpan, 0, place)
			h.markRun(offset+pages*layout.PageBytes, guardPages, layout.PageGuard, 0, place)
		}
	}
	if err != nil {
		h.retireSpan(s)
		return nil, err
	}
	*s = layout.Span{Base: h.data + offset, Pages: pages, Requested: n, Arena: uint32(offset / layout.ArenaBytes), State: layout.SpanMaking, GuardPages: guardPages}
	if guarded {
		s.Guarded = layout.SpanGuarded
		s.Offset = (pages*layout.PageBytes - n) &^ (layout.ClassGrain - 1)
		if align > layout.ClassGrain {
			s.Offset = s.Offset &^ (uint64(align) - 1) // 0 for whole pages
		}
	}
	if h.memory.guard(h.dataOffset+offset+pages*layout.PageBytes, guardPages*layout.PageBytes) != nil {
		h.header().SpanGuardsLost++ // the page stays unused all the same
	}
	if h.auditing.Load() { // elsewhere it would make allocations of this size three times as dear
		h.memory.hide(h.dataOffset+offset+pages*layout.PageBytes, guardPages*layout.PageBytes)
	}
	h.sealSpan(s)
	s.State = layout.SpanLive
	h.arena(uint64(s.Arena)).SpanCount++
	h.header().SpansLive++
	return s, nil
}

// freshen makes what a new span holds recognisable, unless it is huge: then it is zero.
func (h *Heap) freshen(s *layout.Span) {
	if h.arena(uint64(s.Arena)).State != layout.ArenaHuge {
		fillWords(h.pointer(s.User()), uint32(s.Requested)&^7, layout.FreshWord)
	}
}

// recordSpan keeps who allocated a span.
func (h *Heap) recordSpan(s *layout.Span, by caller) {
	s.Record = layout.Record{AllocSequence: h.number(layout.EventAlloc, s.User(), s.Requested, by), AllocGoroutine: by.goroutine, AllocStack: by.stack}
	s.Recorded = layout.SpanRecorded
}

// takeArenas retakes or maps whole arenas for a huge span and returns the offset of the first.
func (h *Heap) takeArenas(pages uint64) (uint64, error) {
	count := (pages + layout.PagesPerArena - 1) / layout.PagesPerArena
	first, retained := uint64(0), false
	if !h.auditing.Load() { // there they are zero
		first, retained = h.takeRetained(count)
	}
	err := h.admit(count * layout.PagesPerArena)
	switch {
	case err != nil && retained:
		h.unmapArenas(first, count)
	case err == nil && !retained:
		first, err = h.mapArenas(count)
	}
	if err != nil {
		return 0, err
	}
	for i := first; i < first+count; i++ {
		a := h.arena(i)
		a.State, a.HugeHead = layout.ArenaHugeTail, uint32(first)
	}
	head := h.arena(first)
	head.State, head.HugeHead, head.HugeArenas = layout.ArenaHuge, 0, uint32(count)
	h.header().PagesInUse += count * layout.PagesPerArena
	OnArenaReady(head)
	return first * layout.ArenaBytes, nil
}

// spanDescriptor is the address of a Span: a retired one, else a new one.
func (h *Heap) spanDescriptor() (uint64, error) {
	head := h.header()
	if ref := head.RetiredSpans; ref != 0 {
		head.RetiredSpans = at[layout.Span](h, uint64(ref)).Next
		head.SpansRetired--
		return uint64(ref), nil
	}
	return h.cutDescriptor(layout.SpanBytes)
}

func (h *Heap) retireSpan(s *layout.Span) {
	head := h.header()
	*s = layout.Span{State: layout.SpanRetired, Next: head.RetiredSpans}
	head.RetiredSpans = layout.Ref[layout.Span](uint64(uintptr(unsafe.Pointer(s))))
	head.SpansRetired++
}

// spanEnd is the offset of the seal in a span, which is also the most that a user may write in it.
func (h *Heap) spanEnd(s *layout.Span) uint64 {
	return s.Pages*layout.PageBytes - s.SealBytes(uint64(h.options.Mode.SealBytes()))
}

// spanEdges are what a guarded span does not use of its pages: before the user's address, and behind the end.
func (h *Heap) spanEdges(s *layout.Span) (before, behind []byte) {
	end := s.Offset + s.Requested
	return unsafe.Slice((*byte)(h.pointer(s.Base)), s.Offset), unsafe.Slice((*byte)(h.pointer(s.Base+end)), s.Pages*layout.PageBytes-end)
}

// spanSlack is the page in which the slack of a span begins, and where the slack begins and the seal lies from there.
func (h *Heap) spanSlack(s *layout.Span) (page unsafe.Pointer, from, end uint32) {
	start := s.Requested &^ (layout.PageBytes - 1)
	return h.pointer(s.Base + start), uint32(s.Requested - start), uint32(h.spanEnd(s) - start)
}

// sealSpan writes the slack pattern and the seal at the end of a span.
func (h *Heap) sealSpan(s *layout.Span) {
	if s.Guarded == layout.SpanGuarded {
		before, behind := h.spanEdges(s)
		for _, edge := range [][]byte{before, behind} {
			for i := range edge {
				edge[i] = layout.SlackByte
			}
		}
		return
	}
	if !h.sealed {
		return
	}
	page, from, end := h.spanSlack(s)
	fillSlack(page, from, end)
	*(*layout.Seal)(unsafe.Add(page, end)) = layout.MakeSeal(s.Base, h.secret, int(s.Requested), layout.StateLive)
}

// spanDamage is what is wrong with the end of a live span; nil: nothing.
func (h *Heap) spanDamage(s *layout.Span) *Violation {
	if s.Guarded == layout.SpanGuarded {
		return h.edgeDamage(s)
	}
	if !h.sealed {
		return nil
	}
	page, from, end := h.spanSlack(s)
	damaged := slackDamaged(page, from, end)
	seal := *(*layout.Seal)(unsafe.Add(page, end))
	if seal != layout.MakeSeal(s.Base, h.secret, int(s.Requested), layout.StateLive) {
		damaged = true
	}
	if !damaged {
		return nil
	}
	v := &Violation{Kind: Overflow, Block: s.Base, Bin: noBin, Size: int(s.Requested)}
	d, _ := h.spanTail(s).Overrun()
	v.show(d)
	return v
}

// edgeDamage is what is wrong around a guarded span on its pages; nil: nothing.
func (h *Heap) edgeDamage(s *layout.Span) *Violation {
	d, damaged := h.spanRim(s).Damage()
	if !damaged {
		return nil
	}
	v := &Violation{Kind: Overflow, Block: s.User(), Bin: noBin, Size: int(s.Requested)}
	if d.Before {
		v.Kind = Underflow
	}
	v.show(d)
	return v
}

// findSpan is the live span that starts at address; nil when none does.
func (h *Heap) findSpan(address uint64) *layout.Span {
	if s := h.spanAt(address); s != nil && s.State == layout.SpanLive {
		return s
	}
	return nil
}

// spanAt is the span that starts at address, live or in quarantine; nil when none does.
func (h *Heap) spanAt(address uint64) *layout.Span {
	offset := address - h.data
	if offset >= h.dataUsed.Load() {
		return nil
	}
	entry := *h.pageEntry(offset)
	if entry.Kind() != layout.PageSpan || entry.Before() != 0 {
		return nil
	}
	if s := at[layout.Span](h, h.header().Identity.Descriptors+entry.Descriptor()); s.User() == address {
		return s
	}
	return nil
}

// freeSpan is free for an address whose page is not a slab's.
func (h *Heap) freeSpan(address uint64, size int) error {
	var by caller
	if h.auditing.Load() {
		by = h.whoCalls(skipFree)
	}
	h.lockPages()
	s := h.findSpan(address)
	if s == nil {
		h.unlockPages()
		return h.refuse("free", address)
	}
	v := h.spanDamage(s)
	if v == nil && size != unknownSize && uint64(size) != s.Requested {
		v = &Violation{Kind: SizeMismatch, Block: s.User(), Bin: noBin, Size: int(s.Requested), Detail: mismatch(int(s.Requested), size)}
	}
	switch {
	case v != nil:
	case h.auditing.Load() && h.arena(uint64(s.Arena)).State != layout.ArenaHuge:
		h.quarantineSpan(s, by)
	default:
		h.dropSpan(s)
	}
	if v == nil {
		h.retireArenas()
		h.limitDirtyPages(h.options.RetainBytes)
	}
	h.unlockPages()
	if v == nil {
		h.wakeScavenger()
		return nil
	}
	v.During, v.Address = "free", address
	return h.report(v)
}

// dropSpan gives the pages of a live span back to its arena. The arenas of a huge one are retained, or go back to the system.
func (h *Heap) dropSpan(s *layout.Span) {
	base, pages, guards := s.Base, s.Pages, uint64(s.GuardPages)
	offset := base - h.data
	arena := h.arena(uint64(s.Arena))
	s.State = layout.SpanMaking
	arena.SpanCount--
	h.header().SpansLive--
	h.memory.unguard(h.dataOffset+offset+pages*layout.PageBytes, guards*layout.PageBytes)
	h.retireSpan(s)
	if arena.State == layout.ArenaHuge {
		count := uint64(arena.HugeArenas)
		h.header().PagesInUse -= count * layout.PagesPerArena
		if first := offset / layout.ArenaBytes; !h.retainArenas(first, count) {
			h.unmapArenas(first, count)
		}
		return
	}
	if h.sealed {
		// So that a second free of this address is told from the free of one that never was a block.
		*(*layout.Seal)(h.pointer(base)) = layout.MakeSeal(base, h.secret, 0, layout.StateFree)
	}
	h.dropRun(offset, int(pages+guards))
}
