package inspect_test

import (
	"errors"
	"io"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// newHeap is a heap of this process, closed when the test ends.
func newHeap(t testing.TB, o allocator.Options) *allocator.Heap {
	t.Helper()
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 64 << 20
	}
	o.Policy = allocator.PolicyReport
	h, err := allocator.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// busy uses a heap in every way it knows, from one goroutine, and returns what it left live.
func busy(t testing.TB, h *allocator.Heap, seed int64, steps int) [][]byte {
	t.Helper()
	r := rand.New(rand.NewSource(seed))
	var live [][]byte
	for range steps {
		switch {
		case len(live) > 20 && r.Intn(2) == 0:
			i := r.Intn(len(live))
			require.NoError(t, h.Free(live[i]))
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
		case len(live) > 20 && r.Intn(8) == 0:
			i := r.Intn(len(live))
			b, err := h.Realloc(live[i], 1+r.Intn(3000))
			require.NoError(t, err)
			live[i] = b
		default:
			n := 1 + r.Intn(200)
			switch r.Intn(40) {
			case 0:
				n = r.Intn(100 << 10)
			case 1:
				n = r.Intn(1200)
			}
			b, err := h.Alloc(n)
			if r.Intn(10) == 0 {
				b, err = h.AllocAligned(n+1, 64)
			}
			require.NoError(t, err)
			if len(b) > 0 {
				r.Read(b)
				live = append(live, b)
			}
		}
	}
	return live
}

// image is a copy of a heap's memory, up to the last arena in use.
func image(t testing.TB, h *allocator.Heap) []byte {
	t.Helper()
	self, err := target.Self(target.Options{Heap: h.Name()})
	require.NoError(t, err)
	defer self.Close()
	var head layout.Header
	_, err = self.ReadAt(layout.Bytes(&head), 0)
	require.NoError(t, err)
	bytes := make([]byte, head.Identity.Data-head.Identity.Base+head.ArenasUsed*layout.ArenaBytes)
	if _, err = self.ReadAt(bytes, 0); !errors.Is(err, io.EOF) { // the file may end before an arena that was never mapped
		require.NoError(t, err)
	}
	return bytes
}
