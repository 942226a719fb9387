package allocator

import (
	"errors"
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// faults reports whether a read of the byte at p faults.
func faults(p unsafe.Pointer) (fault bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() != nil }()
	_ = *(*byte)(p)
	return false
}

// TestTheGuardBehindASpanFaults, in each way of making one, and does not once its page is another's.
func TestTheGuardBehindASpanFaults(t *testing.T) {
	unknown := errors.New("the kernel knows no such advice")
	for name, guarding := range map[string]func(unsafe.Pointer, uint64, bool) error{
		"advice":     guardByAdvice,
		"protection": guardByProtection,
		"no advice":  func(unsafe.Pointer, uint64, bool) error { return unknown },
	} {
		for _, backing := range []Backing{BackingMemfd, BackingAnonymous} {
			h := newHeap(t, Options{Backing: backing, ReserveBytes: 4 << 20})
			h.memory.guarding = guarding
			for _, n := range []int{40 << 10, 2<<20 - 5000} {
				b := alloc(t, h, n)
				pages := (n + layout.SealBytes + layout.PageBytes - 1) / layout.PageBytes
				end := unsafe.Pointer(past(b, pages*layout.PageBytes))
				require.False(t, faults(unsafe.Add(end, -1)), name)
				require.True(t, faults(end), name)
				require.True(t, faults(unsafe.Add(end, layout.PageBytes-1)), name)
				require.Zero(t, h.Stats().GuardsLost)
				require.NoError(t, h.Free(b))
			}
			// Whoever has the pages next may write to all of them.
			clear(alloc(t, h, 1<<20-5000))
			sound(t, h)
		}
	}
}

// TestHugeMemoryIsGoneWhenFreed: what is read after that faults, whether it is retained or not.
func TestHugeMemoryIsGoneWhenFreed(t *testing.T) {
	for _, backing := range []Backing{BackingMemfd, BackingAnonymous} {
		for _, retain := range []int64{1, 0} { // 0: the default, which is more
			h := newHeap(t, Options{Backing: backing, RetainBytes: retain})
			b := alloc(t, h, 3<<20)
			p := place(b)
			for i := range b {
				b[i] = 1
			}
			require.NoError(t, h.Free(b))
			for page := 0; page < 3<<20; page += layout.PageBytes {
				require.True(t, faults(unsafe.Add(p, page)))
			}
			again := alloc(t, h, 3<<20)
			require.Equal(t, p, place(again))
			if retain == 1 {
				require.Zero(t, again[0], "it was given back to the system")
			}
		}
	}
}

// TestMetadataLieApart: behind each part of the metadata lies a page that nobody may touch, whatever the size of the heap.
func TestMetadataLieApart(t *testing.T) {
	for _, arenas := range []uint32{1, 16, 100} {
		for _, backing := range []Backing{BackingMemfd, BackingAnonymous} {
			h := newHeap(t, Options{ReserveBytes: int64(arenas) << 20, Backing: backing})
			clear(alloc(t, h, 40))
			places := layout.Place(arenas)
			for _, start := range []uint64{places.Caches, places.Arenas, places.PageMap, places.Descriptors} {
				require.False(t, faults(unsafe.Add(h.base, start)), "%d arenas: %#x", arenas, start)
				require.True(t, faults(unsafe.Add(h.base, start-layout.PageBytes)), "%d arenas: the page before %#x", arenas, start)
			}
			require.True(t, faults(unsafe.Add(h.base, places.DescriptorsEnd)))
			require.True(t, faults(unsafe.Add(h.base, places.Data-layout.PageBytes)))
		}
	}
}
