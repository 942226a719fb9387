package allocator_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
)

// TestFullDisk: a heap whose file finds no room on the disk says so; it does not die of it, and goes on when blocks are freed.
func TestFullDisk(t *testing.T) {
	disk := os.Getenv("GLASSHEAP_TEST_DISK")
	if disk == "" {
		onADiskOfItsOwn(t)
		return
	}
	require.NoError(t, unix.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"))
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

// onADiskOfItsOwn runs the test in a child that may mount a small disk, which nobody else sees and which goes when the child does.
func onADiskOfItsOwn(t *testing.T) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	c.Env = append(os.Environ(), "GLASSHEAP_TEST_DISK="+t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) {
		require.Empty(t, os.Getenv("CI"), "nobody may mount a disk here")
		t.Skip("this system lets nobody mount a disk: run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)")
	}
	require.NoError(t, err, "%s", out)
}
