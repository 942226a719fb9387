// Package wanted makes mistakes and wants their errors, as tests do.
package wanted

import (
	"testing"

	"github.com/glassheap/glassheap/allocator"
	"github.com/stretchr/testify/require"
)

func wanted(t *testing.T, h *allocator.Heap, b []byte) {
	var v *allocator.Violation
	b = b[:4:4]
	require.ErrorAs(t, h.Free(b), &v)
	b[0] = 1
	_, err := h.Realloc(b, -1)
	require.Error(t, err)
	b[0] = 1
	_, err = h.Realloc(b, 1<<50)
	require.Error(t, err)
	b[0] = 1
	violated(t, h.Free(b))
	b[0] = 1
	damaged(t, h.Free(b))
	b[0] = 1
	require.NoError(t, h.Free(b))
	b[0] = 1 // want `b is written after`
}

func violated(t *testing.T, err error) {
	var v *allocator.Violation
	require.ErrorAs(t, err, &v)
}

func damaged(t *testing.T, err error) {
	t.Helper()
	violated(t, err)
}
