package offheap_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/offheap"
)

// heapOf is a heap of a mode whose violations are errors; what is still live when the test ends fails it.
func heapOf(t testing.TB, mode allocator.Mode) *allocator.Heap {
	t.Helper()
	h, err := allocator.New(allocator.Options{Mode: mode, ReserveBytes: 256 << 20, OnViolation: func(*allocator.Violation) {}})
	require.NoError(t, err)
	t.Cleanup(func() {
		t.Helper()
		require.NoError(t, h.Close())
	})
	return h
}

// panicsFreed expects a panic that is ErrFreed.
func panicsFreed(t testing.TB, f func(), says string) {
	t.Helper()
	defer func() {
		t.Helper()
		err, _ := recover().(error)
		require.ErrorIs(t, err, offheap.ErrFreed)
		require.ErrorContains(t, err, says)
	}()
	f()
}

// violation expects that an error is a violation of a kind.
func violation(t testing.TB, err error, kind allocator.Kind) *allocator.Violation {
	t.Helper()
	v := (*allocator.Violation)(nil)
	require.ErrorAs(t, err, &v)
	require.Equal(t, kind, v.Kind, v.Error())
	return v
}
