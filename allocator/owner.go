package allocator

import (
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Owner is a place in the program that blocks are allocated for: the call stack that NewOwner was called with, and its goroutine.
// What is made of several blocks, or of blocks that others ask for, is one group in Leaks when all of them have one Owner. It
// does not change and may be used by any goroutine, and with several heaps.
type Owner struct {
	goroutine uint64
	stack     []uint64
}

// NewOwner makes an Owner of its caller. It takes 0.2 µs, whatever the heaps' modes: a heap that is put into audit
// mode later knows the owners that were made before.
//
//go:noinline
func NewOwner() *Owner {
	learnGoroutineWord()
	var addresses [layout.MaxStackDepth]uint64
	depth := callStack(addresses[:], 0)
	return &Owner{goroutineID(), append([]uint64(nil), addresses[:depth]...)}
}

// Operation is the call of NewOwner: its goroutine and its stack, without a number.
func (o *Owner) Operation() *Operation {
	made := &Operation{Goroutine: o.goroutine, Stack: make([]uintptr, len(o.stack))}
	for i, a := range o.stack {
		made.Stack[i] = uintptr(a)
	}
	return made
}

// AllocFor is Alloc for an owner. Where it is recorded who allocated a block (ModeAudit, guarded blocks, spans and samples of a heap
// with a ProfileRate), the record names the owner's stack and goroutine, so Leaks, Close, leaks, blocks, whatis and violations
// do. The log and the history of a block tell who really asked. A nil owner is nobody: then it is Alloc.
//
// Realloc of such a block keeps the owner as long as the block does not move.
func (h *Heap) AllocFor(o *Owner, n int) ([]byte, error) {
	b, err := h.Alloc(n)
	if err == nil && n > 0 && o != nil {
		h.recordOwner(o, uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), n)
	}
	return b, err
}

// recordOwner puts an owner in the place of the caller in the record of a block that was allocated just now, if it has one.
func (h *Heap) recordOwner(o *Owner, address uint64, n int) {
	guarded := h.inGuardPages(address)
	if !guarded && !h.auditing.Load() && atomic.LoadUint64(&h.header().ProfileRate) == 0 {
		return
	}
	by := caller{o.goroutine, h.internStack(o.stack[:min(len(o.stack), h.options.StackDepth)])}
	if by.stack == 0 {
		return // no room in the table: the caller is better than nobody
	}
	offset := address - h.data
	switch {
	case guarded:
		h.lockPages()
		s, _ := h.guardSlotOf(address)
		s.Record.AllocGoroutine, s.Record.AllocStack = by.goroutine, by.stack
		h.unlockPages()
	case h.pageEntry(offset).Kind() == layout.PageSlab:
		// The block is the caller's, who has not returned it to the user yet: nobody else writes its record.
		c := &h.class[uint8(h.pageEntry(offset).Bin())]
		if !h.sealed || !layout.Seal(*sealAt(h.pointer(address), c.size)).State().Recorded() {
			return
		}
		if r := h.record(h.slabAndIndex(address)); r != nil {
			r.AllocGoroutine, r.AllocStack = by.goroutine, by.stack
		}
	default:
		h.lockPages()
		if s := h.findSpan(address); s != nil && s.Recorded == layout.SpanRecorded {
			s.Record.AllocGoroutine, s.Record.AllocStack = by.goroutine, by.stack
		}
		h.unlockPages()
	}
	h.watched(address, n, by)
}
