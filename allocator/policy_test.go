package allocator

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPolicyPanicPanicsWithTheViolation(t *testing.T) {
	h, err := New(Options{ReserveBytes: 1 << 20})
	require.NoError(t, err)
	defer h.Close()
	b := alloc(t, h, 40)
	require.NoError(t, h.Free(b))
	defer func() {
		v, ok := recover().(*Violation)
		require.True(t, ok)
		violated(t, v, DoubleFree)
		require.NoError(t, h.Free(alloc(t, h, 40)), "no lock is held")
	}()
	_ = h.Free(b)
	t.Error("it went on")
}

func TestPolicyReportWritesToStandardError(t *testing.T) {
	h := newHeap(t, Options{Policy: PolicyReport})
	b := alloc(t, h, 40)
	require.NoError(t, h.Free(b))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	stderr := os.Stderr
	os.Stderr = w
	err = h.Free(b)
	os.Stderr = stderr
	require.NoError(t, w.Close())
	text, readErr := io.ReadAll(r)
	require.NoError(t, readErr)
	violated(t, err, DoubleFree)
	require.Equal(t, err.Error()+"\n", string(text))
}

func TestOnViolationComesInsteadOfThePolicy(t *testing.T) {
	var got []*Violation
	var h *Heap
	h = newHeap(t, Options{OnViolation: func(v *Violation) {
		got = append(got, v)
		require.NoError(t, h.Free(alloc(t, h, 40)), "no lock is held")
	}})
	b := alloc(t, h, 40)
	require.NoError(t, h.Free(b))
	err := h.Free(b)
	require.Len(t, got, 1)
	require.Same(t, got[0], violated(t, err, DoubleFree))
	require.EqualValues(t, 1, h.Stats().Violations)
}
