package allocator_test

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// One violation of each kind, and of each way in which a kind is told. The functions stand in a file of their own: their lines
// are in the golden files.

// rule is a way to break one, in a heap of its own.
type rule struct {
	name    string
	kind    allocator.Kind
	options allocator.Options
	breaks  func(h *allocator.Heap) error
}

// run breaks the rule on a goroutine of its own, whose stack holds nothing of package testing.
func (r rule) run(h *allocator.Heap) error {
	done := make(chan error)
	go func() { done <- r.breaks(h) }()
	return <-done
}

var (
	sealed  = allocator.Options{Mode: allocator.ModeSealed}
	audited = allocator.Options{Mode: allocator.ModeAudit}
	guarded = allocator.Options{Mode: allocator.ModeSealed, GuardRate: 1}
)

var rules = []rule{
	{"overflow_terminator", allocator.Overflow, audited, terminator},
	{"overflow_through_seal", allocator.Overflow, sealed, func(h *allocator.Heap) error { return tooLong(h, 50, 58) }},
	{"overflow_far", allocator.Overflow, sealed, func(h *allocator.Heap) error { return tooLong(h, 35, 0) }},
	{"overflow_span", allocator.Overflow, audited, func(h *allocator.Heap) error { return tooLong(h, 150_000, 3) }},
	{"overflow_guarded", allocator.Overflow, guarded, func(h *allocator.Heap) error { return tooLong(h, 50, 3) }},
	{"overflow_realloc", allocator.Overflow, sealed, grows},
	{"underflow", allocator.Underflow, audited, before},
	{"underflow_guarded", allocator.Underflow, guarded, beforeGuarded},
	{"double_free", allocator.DoubleFree, audited, twice},
	{"double_free_two_goroutines", allocator.DoubleFree, audited, twiceByTwo},
	{"double_free_sealed", allocator.DoubleFree, sealed, twice},
	{"double_free_span", allocator.DoubleFree, audited, twiceLarge},
	{"double_free_guarded", allocator.DoubleFree, guarded, twice},
	{"invalid_free_inside", allocator.InvalidFree, audited, inside},
	{"invalid_free_foreign", allocator.InvalidFree, sealed, foreign},
	{"invalid_free_never_allocated", allocator.InvalidFree, sealed, neverAllocated},
	{"size_mismatch", allocator.SizeMismatch, audited, cutShort},
	{"write_after_free", allocator.WriteAfterFree, audited, writesOn},
	{"write_after_free_seal", allocator.WriteAfterFree, sealed, writesOverTheSeal},
	{"use_after_free_realloc", allocator.UseAfterFree, audited, reallocates},
	{"use_after_free_access", allocator.UseAfterFree, guarded, readsOn},
	{"use_after_free_span", allocator.UseAfterFree, audited, readsLarge},
	{"out_of_bounds", allocator.OutOfBounds, guarded, readsPast},
}

func alloc(h *allocator.Heap, n int) []byte {
	b, err := h.Alloc(n)
	if err != nil {
		panic(err)
	}
	clear(b)
	copy(b, "welcome back to the shop, dear customer; so glad that you came")
	return b
}

// at is the byte at this many bytes from a block's start, wherever that is.
func at(b []byte, offset int) *byte {
	return (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), offset))
}

//go:noinline
func terminator(h *allocator.Heap) error {
	b := alloc(h, 50)
	writeTerminator(b)
	return h.Free(b)
}

func writeTerminator(b []byte) { *at(b, len(b)) = 0 }

// tooLong writes behind n bytes; with more bytes 0, one byte that is not the first.
//
//go:noinline
func tooLong(h *allocator.Heap, n, more int) error {
	b := alloc(h, n)
	for i := range more {
		*at(b, n+i) = byte('A' + i%26)
	}
	if more == 0 {
		*at(b, n+3) = '!'
	}
	return h.Free(b)
}

//go:noinline
func grows(h *allocator.Heap) error {
	b := alloc(h, 20)
	*at(b, 20) = '!'
	_, err := h.Realloc(b, 100)
	return err
}

//go:noinline
func before(h *allocator.Heap) error {
	_ = alloc(h, 64)
	b := alloc(h, 64)
	*at(b, -1), *at(b, -2) = 'z', 'y'
	return h.Free(b)
}

//go:noinline
func beforeGuarded(h *allocator.Heap) error {
	b := alloc(h, 56)
	return allocator.CatchFaults(func() {
		*at(b, -1), *at(b, -2) = 'z', 'y'
		_ = h.Free(b)
	})
}

//go:noinline
func twice(h *allocator.Heap) error {
	b := alloc(h, 50)
	if err := h.Free(b); err != nil {
		return err
	}
	return freesAgain(h, b)
}

//go:noinline
func freesAgain(h *allocator.Heap, b []byte) error {
	err := h.Free(b)
	return err
}

//go:noinline
func twiceByTwo(h *allocator.Heap) error {
	b := alloc(h, 50)
	done := make(chan error)
	go func() { done <- h.Free(b) }()
	if err := <-done; err != nil {
		return err
	}
	return freesAgain(h, b)
}

//go:noinline
func twiceLarge(h *allocator.Heap) error {
	b := alloc(h, 150_000)
	if err := h.Free(b); err != nil {
		return err
	}
	return freesAgain(h, b)
}

//go:noinline
func inside(h *allocator.Heap) error { return h.FreePointer(unsafe.Pointer(&alloc(h, 50)[10])) }

//go:noinline
func foreign(h *allocator.Heap) error { return h.FreePointer(unsafe.Add(nil, 0x1234)) }

//go:noinline
func neverAllocated(h *allocator.Heap) error {
	return h.FreePointer(unsafe.Pointer(at(alloc(h, 50), 40*64)))
}

//go:noinline
func cutShort(h *allocator.Heap) error { return h.Free(alloc(h, 50)[:8:8]) }

//go:noinline
func writesOn(h *allocator.Heap) error {
	b := alloc(h, 100)
	if err := h.Free(b); err != nil {
		return err
	}
	copy(b[20:], "late")
	return h.Close() // tells of it by OnViolation
}

//go:noinline
func writesOverTheSeal(h *allocator.Heap) error {
	b := alloc(h, 56)
	if err := h.Free(b); err != nil {
		return err
	}
	for i, c := range []byte("late") {
		*at(b, 56+i) = c
	}
	_, err := h.Alloc(56)
	return err
}

//go:noinline
func reallocates(h *allocator.Heap) error {
	b := alloc(h, 50)
	if err := h.Free(b); err != nil {
		return err
	}
	_, err := h.Realloc(b, 80)
	return err
}

var sum byte // what is read

//go:noinline
func readsOn(h *allocator.Heap) error {
	b := alloc(h, 64)
	if err := h.Free(b); err != nil {
		return err
	}
	return allocator.CatchFaults(func() { sum += b[10] })
}

//go:noinline
func readsLarge(h *allocator.Heap) error {
	b := alloc(h, 150_000)
	if err := h.Free(b); err != nil {
		return err
	}
	return allocator.CatchFaults(func() { sum += b[10] })
}

//go:noinline
func readsPast(h *allocator.Heap) error {
	b := alloc(h, 64)
	return allocator.CatchFaults(func() { sum += *at(b, 64) })
}
