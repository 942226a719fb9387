package allocator

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

var heapNumber atomic.Int64

// newHeap is a heap that returns its violations as errors, and is closed when the test ends.
func newHeap(t testing.TB, o Options) *Heap {
	t.Helper()
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 64 << 20
	}
	if o.Name == "" {
		o.Name = fmt.Sprintf("heap %d", heapNumber.Add(1)) // target.Self asks for it
	}
	if o.OnViolation == nil && o.Policy == PolicyPanic {
		o.OnViolation = func(*Violation) {}
	}
	h, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func alloc(t testing.TB, h *Heap, n int) []byte {
	t.Helper()
	b, err := h.Alloc(n)
	require.NoError(t, err)
	require.Len(t, b, n)
	return b
}

func malloc(t testing.TB, h *Heap, n int) unsafe.Pointer {
	t.Helper()
	p, err := h.Malloc(n)
	require.NoError(t, err)
	return p
}

// place is where a block lies: Free and Realloc must be handed the same address whatever the slice became.
func place(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// past is the byte at this many bytes from a block's start, wherever that is.
func past(b []byte, offset int) *byte { return (*byte)(unsafe.Add(place(b), offset)) }

// violated expects a violation of this kind, whose text says these things.
func violated(t testing.TB, err error, kind Kind, says ...string) *Violation {
	t.Helper()
	v := (*Violation)(nil)
	require.True(t, errors.As(err, &v), "a violation was expected, not %v", err)
	require.Equal(t, kind, v.Kind, v.Error())
	for _, text := range says {
		require.Contains(t, v.Error(), text)
	}
	return v
}

// oneCache lets all that a test does go through the cache of one P, so that no block waits in another's. Without pinning
// that can't be had.
func oneCache(t testing.TB) {
	t.Helper()
	if cachesWanted(1) != 1 {
		t.Skip("with -tags glassheap_portable caches belong to no P: run it without")
	}
	procs := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
}

// oneCacheIfPinned is oneCache for a test that only runs more predictably with it.
func oneCacheIfPinned(t testing.TB) {
	if cachesWanted(1) == 1 {
		oneCache(t)
	}
}

// findings is what inspect.Check finds in a heap that nobody uses at the moment.
func findings(t testing.TB, h *Heap) []inspect.Finding {
	t.Helper()
	self, err := target.Self(target.Options{Heap: h.Name()})
	require.NoError(t, err)
	defer self.Close()
	report, err := inspect.Check(context.Background(), self, inspect.CheckOptions{})
	require.NoError(t, err)
	return append(report.Findings, report.Unsettled...)
}

// sound expects that there is none, and that what the heap keeps for itself agrees with its memory.
func sound(t testing.TB, h *Heap) {
	t.Helper()
	dirty, dirtyHuge, huge := 0, 0, uint64(0)
	for i := range h.header().ArenasUsed {
		dirty += int(h.arena(i).DirtyPages)
		if h.huge.holds(i) {
			dirtyHuge += int(h.arena(i).DirtyPages)
			huge += layout.ArenaBytes
		}
	}
	require.Equal(t, dirty, h.dirtyPages, "dirty pages")
	require.Equal(t, dirtyHuge, h.huge.dirty, "dirty pages on huge pages")
	require.Equal(t, huge, h.header().HugeBytes, "huge pages")
	for _, f := range findings(t, h) {
		t.Errorf("%s: %s (%s, should be %s: %s)", f.Code, f.Summary, f.Found, f.Expected, f.Why)
	}
}
