package allocator

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator/layout"
)

// TestTheDataAreAlignedWhereverTheReserveLies: the system places mappings at multiples of a page.
func TestTheDataAreAlignedWhereverTheReserveLies(t *testing.T) {
	for i := range 8 {
		const odd = 64<<20 + layout.PageBytes // the next mapping ends there
		between, err := unix.MmapPtr(-1, 0, nil, odd, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		require.NoError(t, err)
		defer unix.MunmapPtr(between, odd)
		h := newHeap(t, Options{ReserveBytes: int64(1+i) << 20})
		require.Zero(t, h.data%layout.ArenaBytes, "%#x", h.data)
		a, err := h.AllocAligned(40, layout.ArenaBytes)
		require.NoError(t, err)
		require.Zero(t, uintptr(place(a))%layout.ArenaBytes)
	}
}
