package allocator_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
)

func newGuardedHeap(t *testing.T, mode allocator.Mode) *allocator.Heap {
	h, err := allocator.New(allocator.Options{Mode: mode, GuardRate: 1, ReserveBytes: 64 << 20, OnViolation: func(*allocator.Violation) {}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// caught runs f, which must fault, and returns what the fault was.
func caught(t *testing.T, f func()) *allocator.Violation {
	t.Helper()
	v := (*allocator.Violation)(nil)
	require.ErrorAs(t, allocator.CatchFaults(f), &v)
	return v
}

var sink byte

// TestGuardedAccessesFault at the instruction, and the fault tells what happened, in every mode.
func TestGuardedAccessesFault(t *testing.T) {
	zero, err := unix.Open("/dev/zero", unix.O_RDONLY, 0)
	require.NoError(t, err)
	defer unix.Close(zero)
	for _, mode := range []allocator.Mode{allocator.ModePlain, allocator.ModeSealed, allocator.ModeAudit} {
		h := newGuardedHeap(t, mode)
		for range 20 {
			b := allocatesIt(t, h, 64)
			beyond := b[:cap(b):cap(b)]
			behind, before := peek(beyond, 64), peek(beyond, -1)
			right := caughtOrNot(behind)
			left := caughtOrNot(before)
			require.True(t, right != nil || left != nil, "one side ends at a guard page")
			for _, v := range []*allocator.Violation{right, left} {
				if v == nil {
					continue
				}
				require.Equal(t, allocator.OutOfBounds, v.Kind)
				require.Equal(t, 64, v.Size)
				require.Contains(t, v.Allocated.Frames()[0].Function, "allocatesIt")
				require.Nil(t, v.Freed)
			}
			require.NoError(t, freesIt(h, b))
			v := caught(t, func() { sink = b[0] })
			require.Equal(t, allocator.UseAfterFree, v.Kind)
			require.Contains(t, v.Freed.Frames()[0].Function, "freesIt")
			again := (*allocator.Violation)(nil)
			require.ErrorAs(t, h.Free(b), &again)
			require.Equal(t, allocator.DoubleFree, again.Kind)
			_, err := unix.Read(zero, b)
			require.ErrorIs(t, err, unix.EFAULT, "the kernel meets the guard too")
		}
	}
}

// peek reads the byte at an offset from the start of b, wherever that is.
func peek(b []byte, offset int) func() {
	return func() { sink = *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), offset)) }
}

// caughtOrNot is nil when f does not fault.
func caughtOrNot(f func()) *allocator.Violation {
	err := allocator.CatchFaults(f)
	v, _ := err.(*allocator.Violation)
	return v
}

// TestAGuardedSpanEndsAtItsGuard, but for its alignment.
func TestAGuardedSpanEndsAtItsGuard(t *testing.T) {
	for _, mode := range []allocator.Mode{allocator.ModePlain, allocator.ModeSealed, allocator.ModeAudit} {
		h := newGuardedHeap(t, mode)
		b, err := h.Alloc(100_003)
		require.NoError(t, err)
		*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), 100_002)) = 1
		v := caught(t, func() { *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), 100_008)) = 1 })
		require.Equal(t, allocator.OutOfBounds, v.Kind)
		require.Equal(t, 100_003, v.Size)
		require.NoError(t, h.Free(b))
	}
}

// TestGuardedBlocksAreCounted, and Close says who has left them.
func TestGuardedBlocksAreCounted(t *testing.T) {
	for _, mode := range []allocator.Mode{allocator.ModePlain, allocator.ModeSealed, allocator.ModeAudit} {
		h := newGuardedHeap(t, mode)
		b := allocatesIt(t, h, 64)
		allocatesIt(t, h, 100)
		require.EqualValues(t, 2, h.Stats().LiveBlocks)
		require.NoError(t, freesIt(h, b))
		require.EqualValues(t, 1, h.Stats().LiveBlocks)
		leak := (*allocator.LeakError)(nil)
		require.ErrorAs(t, h.Close(), &leak)
		require.EqualValues(t, 1, leak.Blocks)
		if mode == allocator.ModePlain {
			continue // it does not tell
		}
		require.Len(t, leak.Leaks, 1)
		require.EqualValues(t, 100, leak.Leaks[0].Bytes)
		require.Contains(t, leak.Leaks[0].Allocated.Frames()[0].Function, "allocatesIt")
	}
}
