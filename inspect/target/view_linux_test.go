package target

import (
	"bytes"
	"os"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

func TestView(t *testing.T) {
	h, err := allocator.New(allocator.Options{Name: "in view", ReserveBytes: 64 << 20})
	require.NoError(t, err)
	defer h.Close()
	opened, err := Self(Options{Heap: "in view"})
	require.NoError(t, err)
	before := opened.Size()
	header := opened.(Viewer).View(0, 4096)
	require.Equal(t, readAll(t, opened, 0, 4096), header)
	require.Nil(t, opened.(Viewer).View(before-100, 101), "beyond the end")

	// The heap grows: what was shown stays valid, and the new part is shown.
	b, err := h.Alloc(30 << 20)
	require.NoError(t, err)
	copy(b, noise(1, len(b)))
	require.Greater(t, opened.Size(), before)
	size := opened.Size()
	block := int64(uint64(uintptr(unsafe.Pointer(&b[0]))) - opened.Base())
	require.True(t, bytes.Equal(readAll(t, opened, block, 30<<20), opened.(Viewer).View(block, 30<<20)))
	require.Nil(t, opened.(Viewer).View(block-8192, 16384), "a hole, which the read would fill")
	require.Equal(t, readAll(t, opened, 0, 4096), header)

	for _, wrong := range []Extent{{-1, 5}, {0, -1}, {size, 1}, {1<<63 - 1, 1<<63 - 1}, {size - 5, 6}} {
		require.Nil(t, opened.(Viewer).View(wrong.Offset, wrong.Bytes), wrong)
	}
	require.NoError(t, opened.Close())

	require.NoError(t, h.Free(b))
}

// TestNoView has memory that somebody could take away under the reader, or that is copied.
func TestNoView(t *testing.T) {
	for _, backing := range []string{"file", "anonymous"} {
		o := orderOf(t, "not in view", backing)
		h, err := allocator.New(allocator.Options{Name: o.Name, Backing: o.Backing, Path: o.Path, ReserveBytes: 16 << 20})
		require.NoError(t, err)
		opened, err := OpenProcess(os.Getpid(), Options{})
		require.NoError(t, err)
		require.Nil(t, opened.(Viewer).View(0, 4096))
		require.NoError(t, opened.Close())
		require.NoError(t, h.Close())
	}
}
