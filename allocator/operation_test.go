package allocator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

func newAuditHeap(t *testing.T) *allocator.Heap {
	h, err := allocator.New(allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20, OnViolation: func(*allocator.Violation) {}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// TestThreeStacks of a double free: who allocated, who freed first, who freed again.
func TestThreeStacks(t *testing.T) {
	h := newAuditHeap(t)
	for _, n := range []int{16, 256 << 10} {
		b := allocatesIt(t, h, n)
		require.NoError(t, freesIt(h, b))
		v := (*allocator.Violation)(nil)
		require.ErrorAs(t, freesItAgain(h, b), &v)
		require.Equal(t, allocator.DoubleFree, v.Kind)
		require.Equal(t, n, v.Size)
		for what, o := range map[string]*allocator.Operation{"allocatesIt": v.Allocated, "freesIt": v.Freed, "freesItAgain": v.Now} {
			require.NotNil(t, o, what)
			require.Equal(t, "github.com/glassheap/glassheap/allocator_test."+what, o.Frames()[0].Function, "%d: %s", n, what)
			require.NotZero(t, o.Goroutine)
		}
		require.Regexp(t, `(?s)double-free.*\n   allocated by  .*allocatesIt +operation_test.go:\d+\n.*\n   freed by      .*freesIt +operation_test.go.*\n   freed again by .*freesItAgain`, v.Error())
	}
}

//go:noinline
func allocatesIt(t *testing.T, h *allocator.Heap, n int) []byte {
	b, err := h.Alloc(n)
	require.NoError(t, err)
	return b
}

//go:noinline
func freesIt(h *allocator.Heap, b []byte) error {
	err := h.Free(b)
	return err
}

//go:noinline
func freesItAgain(h *allocator.Heap, b []byte) error {
	err := h.Free(b)
	return err
}

// TestCloseNamesLeaks with the stack that allocated them.
func TestCloseNamesLeaks(t *testing.T) {
	h, err := allocator.New(allocator.Options{Name: "leaky", Mode: allocator.ModeAudit, ReserveBytes: 64 << 20})
	require.NoError(t, err)
	for range 3 {
		allocatesIt(t, h, 64)
	}
	allocatesIt(t, h, 300<<10)
	require.NoError(t, freesIt(h, allocatesIt(t, h, 64)))
	leaks := h.Leaks()
	require.Len(t, leaks, 2, "two lines of this test")
	require.EqualValues(t, 300<<10, leaks[0].Bytes)
	require.EqualValues(t, 3, leaks[1].Blocks)
	leak := (*allocator.LeakError)(nil)
	require.ErrorAs(t, h.Close(), &leak)
	require.EqualValues(t, 4, leak.Blocks)
	require.Regexp(t, `(?s)heap "leaky" was closed with 4 live blocks\n   307200 bytes in 1 block\n   allocated by  goroutine \d+, operation \d+\n +allocator_test.allocatesIt +operation_test.go:\d+\n.*\n   192 bytes in 3 blocks\n   allocated by  goroutine \d+, operation \d+\n +allocator_test.allocatesIt`, leak.Error())
}

// TestCloseVerifiesWhatIsHeldBack, and names who freed it.
func TestCloseVerifiesWhatIsHeldBack(t *testing.T) {
	var found []*allocator.Violation
	h, err := allocator.New(allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20, OnViolation: func(v *allocator.Violation) { found = append(found, v) }})
	require.NoError(t, err)
	first, second := allocatesIt(t, h, 64), allocatesIt(t, h, 64)
	require.NoError(t, freesIt(h, first))
	require.NoError(t, freesIt(h, second))
	second[7] = 1
	require.NoError(t, h.Close())
	require.Len(t, found, 1)
	require.Equal(t, allocator.WriteAfterFree, found[0].Kind)
	require.Equal(t, "close", found[0].During)
	require.Contains(t, found[0].Freed.Frames()[0].Function, "freesIt")
}
