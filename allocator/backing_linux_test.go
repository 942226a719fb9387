package allocator_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
)

// TestFullDisk: a heap whose file finds no room on the disk says so; it does not die of it, and goes on when blocks are freed.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); errors.Is(err, unix.EPERM) {
		t.Skip("mounting a small disk needs root")
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(disk, 0)) })
	h, err := allocator.New(allocator.Options{Name: "full", Backing: allocator.BackingFile, Path: filepath.Join(disk, "full.heap"), ReserveBytes: 64 << 20})
	require.NoError(t, err)
	var blocks [][]byte
	for {
		var b []byte
		if b, err = h.Alloc(1000); err != nil {
			break
		}
		blocks = append(blocks, b)
		for i := range b {
			b[i] = 1
		}
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	require.ErrorContains(t, err, "the disk has no room")
	require.Greater(t, len(blocks), 1000)
	for _, b := range blocks[1:] { // the first one keeps its arena
		require.NoError(t, h.Free(b))
	}
	h.Scavenge()
	// Somebody else takes what is left of the disk: the heap still has room for its pages in use, and what it gave back it
	// asks for again.
	require.Error(t, os.WriteFile(filepath.Join(disk, "other"), make([]byte, 8<<20), 0o600))
	for {
		var b []byte
		if b, err = h.Alloc(1000); err != nil {
			break
		}
		b[0] = 2
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	require.Error(t, h.Close(), "the blocks are live")

	_, err = allocator.New(allocator.Options{Name: "none", Backing: allocator.BackingFile, Path: filepath.Join(disk, "none.heap")})
	require.ErrorIs(t, err, unix.ENOSPC, "a disk without any room")
}
