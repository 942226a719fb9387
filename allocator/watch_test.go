package allocator

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWatch(t *testing.T) {
	before, err := New(Options{Name: "before", ReserveBytes: 16 << 20})
	require.NoError(t, err)
	open := map[string]int{}
	stop := Watch(func(h *Heap) { open[h.Name()]++ }, func(h *Heap) { open[h.Name()] += 10 })
	after, err := New(Options{Name: "after", ReserveBytes: 16 << 20})
	require.NoError(t, err)
	require.Equal(t, map[string]int{"before": 1, "after": 1}, open)
	require.NoError(t, before.Close())
	require.Error(t, before.Close())
	require.Equal(t, map[string]int{"before": 11, "after": 1}, open, "a heap is closed once")
	stop()
	stop()
	require.NoError(t, after.Close())
	require.Equal(t, map[string]int{"before": 11, "after": 1}, open, "nobody watches any more")
}

func TestFileOutlivesTheHeap(t *testing.T) {
	h, err := New(Options{Name: "kept", Backing: BackingMemfd, ReserveBytes: 16 << 20})
	if err == nil && h.Backing() == BackingAnonymous {
		require.Empty(t, os.Getenv("CI"), "this system has no memfd")
		t.Skip("this system has no memfd: Linux 3.17 and later do, unless a sandbox forbids it")
	}
	require.NoError(t, err)
	file, err := h.File()
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, h.Close())
	var magic [8]byte
	_, err = file.ReadAt(magic[:], 0)
	require.NoError(t, err)
	require.Equal(t, "GLASHEAP", string(magic[:]))

	h, err = New(Options{Backing: BackingAnonymous, ReserveBytes: 16 << 20})
	require.NoError(t, err)
	_, err = h.File()
	require.ErrorContains(t, err, "anonymous")
	require.NoError(t, h.Close())
}
