package allocator

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Faults: an access to a guard page, or to memory that was freed, stops at the instruction. What it hit, the heap knows.

// Explain says what a faulting address means to the heaps of this program: the violation that an access to it is. nil: the address
// lies in no heap, or where an access is nobody's mistake.
func Explain(address uint64) *Violation {
	h := heapOf(address)
	if h == nil {
		return nil
	}
	v := &Violation{Heap: h.options.Name, During: "access", Address: address, Bin: noBin, Size: -1}
	h.lockPages()
	if h.inGuardPages(address) {
		h.explainGuarded(v)
	} else {
		h.explainSpan(v)
	}
	h.unlockPages()
	if v.Kind == "" {
		return nil
	}
	h.complete(v)
	return v
}

func (h *Heap) explainGuarded(v *Violation) {
	if !h.guardsReady {
		return
	}
	s, page := h.guardSlotOf(v.Address)
	if s.State == layout.GuardVirgin {
		return
	}
	v.Block, v.Size = s.Address, int(s.Requested)
	v.Kind, v.Detail = OutOfBounds, fmt.Sprintf("byte %s", outside(int64(v.Address-s.Address), int64(s.Requested)))
	if s.State == layout.GuardFreed {
		v.Detail += ", which was freed"
		if v.Address-page < layout.PageBytes {
			v.Kind, v.Detail = UseAfterFree, fmt.Sprintf("byte %+d of a block of %d bytes that was freed", int64(v.Address-s.Address), s.Requested)
		}
	}
}

// outside says where an address lies from the start of a block of size bytes.
func outside(offset, size int64) string {
	switch {
	case offset < 0:
		return fmt.Sprintf("%+d, %d before the start of a block of %d bytes", offset, -offset, size)
	case offset >= size:
		return fmt.Sprintf("%+d, %d behind the end of a block of %d bytes", offset, offset-size+1, size)
	}
	return fmt.Sprintf("%+d of a block of %d bytes", offset, size)
}

// explainSpan explains an address on the guard page behind a span, or in a span that was freed.
func (h *Heap) explainSpan(v *Violation) {
	offset := v.Address - h.data
	if offset >= h.dataUsed.Load() {
		return
	}
	entry := *h.pageEntry(offset)
	if kind := entry.Kind(); kind != layout.PageSpan && kind != layout.PageGuard {
		return
	}
	s := at[layout.Span](h, h.header().Identity.Descriptors+entry.Descriptor())
	in := int64(v.Address - s.User())
	switch {
	case s.State == layout.SpanQuarantined:
		v.Kind, v.Detail = UseAfterFree, fmt.Sprintf("byte %+d of a span of %d bytes that was freed", in, s.Requested)
	case s.State == layout.SpanLive && entry.Kind() == layout.PageGuard:
		v.Kind, v.Detail = OutOfBounds, "byte "+outside(in, int64(s.Requested))
	default:
		return
	}
	v.Block, v.Size = s.User(), int(s.Requested)
}

// CatchFaults calls f. An access of f to memory that a heap guards comes back as the error, a *Violation, instead of ending
// the program, and the goroutine's other faults go on as panics. Only accesses by f's own goroutine are caught. What f was
// doing is abandoned, as with any panic: locks that it holds stay locked, unless it defers their release.
func CatchFaults(f func()) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		recovered := recover()
		if recovered == nil {
			return
		}
		if fault, ok := recovered.(interface {
			runtime.Error
			Addr() uintptr
		}); ok {
			if v := Explain(uint64(fault.Addr())); v != nil {
				OnViolation(v)
				err = v
				return
			}
		}
		panic(recovered)
	}()
	f()
	return nil
}
