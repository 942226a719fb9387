package allocator

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestReportsNameNoEarlierOwner: a block that was recorded, and then allocated while nobody recorded it, was allocated by
// nobody that is known, whatever its record still says.
func TestReportsNameNoEarlierOwner(t *testing.T) {
	oneCache(t)
	for _, damage := range []int{0, 61} {
		var found []*Violation
		h := newHeap(t, Options{Mode: ModeAudit, ReserveBytes: 16 << 20, OnViolation: func(v *Violation) { found = append(found, v) }})
		first := alloc(t, h, 61)
		require.NoError(t, h.Free(first))
		require.NoError(t, h.SetMode(ModeSealed))
		var b []byte
		for range 1000 {
			if b = alloc(t, h, 61); place(b) == place(first) {
				break
			}
		}
		require.Equal(t, place(first), place(b), "the block comes back")
		require.NoError(t, h.SetMode(ModeAudit))
		if damage > 0 {
			*(*byte)(unsafe.Add(place(b), damage)) ^= 1
			require.Error(t, h.Free(b))
			require.Equal(t, Overflow, found[0].Kind)
		} else {
			require.NoError(t, h.Free(b))
			require.Error(t, h.Free(b))
			require.Equal(t, DoubleFree, found[0].Kind)
			require.NotNil(t, found[0].Freed)
		}
		require.Nil(t, found[0].Allocated)
		sound(t, h)
	}
}

// TestNothingStaysUnderWay: a block that Moving names is one whose damage nobody believes.
func TestNothingStaysUnderWay(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{Mode: ModeAudit, ReserveBytes: 16 << 20, QuarantineBytes: 4096})
	for range 200 {
		require.NoError(t, h.Free(alloc(t, h, 64)))
		require.Zero(t, h.journal(0).Moving)
	}
}
