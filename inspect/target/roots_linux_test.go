package target

import (
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

// TestRootsAreWhatCanBeWritten, without anything that shows the heap.
func TestRootsAreWhatCanBeWritten(t *testing.T) {
	const base, size = 0x10000, 0x8000
	var maps []mapping
	for _, line := range []string{
		"00001000-00002000 r-xp 00000000 08:01 17 /bin/program",
		"00002000-00003000 rw-p 00001000 08:01 17 /bin/program",
		"00003000-00004000 ---p 00000000 00:00 0",
		"00004000-00005000 rw-s 00000000 00:01 99 /memfd:glassheap:x (deleted)", // the heap's file once more
		"00005000-00006000 rw-s 00000000 00:01 98 /memfd:glassheap:y (deleted)", // another heap
		"0000c000-00012000 rw-p 00000000 00:00 0",                               // anonymous memory that is one mapping with the heap's
		"00012000-00014000 rw-s 00002000 00:01 99 /memfd:glassheap:x (deleted)",
		"00017000-0001a000 rw-p 00000000 00:00 0",
		"00020000-00021000 -w-p 00000000 00:00 0",
		"00030000-00031000 rw-p 00000000 00:00 0 [stack]",
	} {
		m, ok := parseMapping([]byte(line), map[string]string{})
		require.True(t, ok)
		maps = append(maps, m)
	}
	var found [][2]uint64
	for _, m := range rootsOf(maps, base, size) {
		found = append(found, [2]uint64{m.start, m.end})
	}
	require.Equal(t, [][2]uint64{{0x2000, 0x3000}, {0x5000, 0x6000}, {0xc000, 0x10000}, {0x18000, 0x1a000}, {0x30000, 0x31000}}, found)
}

// TestRootsReferToTheHeap: what the owner knows of its blocks is in them.
func TestRootsReferToTheHeap(t *testing.T) {
	for _, backing := range []allocator.Backing{allocator.BackingMemfd, allocator.BackingAnonymous} {
		c, r := startOwner(t, orders{Heaps: []heapOrder{{Name: "roots", Backing: backing}}, Busy: 1})
		h := openHeap(t, c.Process.Pid, "roots")
		found := map[uint64]bool{}
		total, err := h.(Rooted).Roots(t.Context(), func(piece []byte) {
			require.Zero(t, len(piece)%8)
			for ; len(piece) >= 8; piece = piece[8:] {
				found[binary.LittleEndian.Uint64(piece)] = true
			}
		})
		require.NoError(t, err)
		require.Greater(t, total, int64(1<<20))
		require.Less(t, total, int64(64<<20), "what was never touched is not read")
		require.True(t, found[r.Counters[0]], "the counter that a goroutine uses")
	}
}

// TestSnapshotsRememberTheProgram that they were taken of, and so do snapshots of snapshots.
func TestSnapshotsRememberTheProgram(t *testing.T) {
	c, _ := startOwner(t, orders{Heaps: []heapOrder{{Name: "origin"}}})
	h := openHeap(t, c.Process.Pid, "origin")
	want, err := OriginOf(h)
	require.NoError(t, err)
	require.NotEmpty(t, want.BuildID)
	require.NotZero(t, want.Entry)
	from := Target(h)
	for range 2 {
		path := filepath.Join(t.TempDir(), "x.snapshot")
		require.NoError(t, SaveSnapshot(t.Context(), path, from, []Extent{{0, 8192}}, InfoOf(from, nil, time.Now()), nil))
		s, err := OpenSnapshot(path)
		require.NoError(t, err)
		defer s.Close()
		got, err := OriginOf(s)
		require.NoError(t, err)
		require.Equal(t, want, got)
		from = s
	}
	require.Equal(t, c.Process.Pid, OwnerOf(h))
	require.Zero(t, OwnerOf(from), "a snapshot's process may be another one by now")
	_, err = OriginOf(FromBytes(make([]byte, 4096)))
	require.ErrorIs(t, err, ErrNoOrigin)
}

// TestRegistersAreRoots: an address that a running thread has in a register is found, sooner or later, while it is held.
func TestRegistersAreRoots(t *testing.T) {
	c, r := startOwner(t, orders{Heaps: []heapOrder{{Name: "registers"}}, Busy: 1})
	h := openHeap(t, c.Process.Pid, "registers").(*otherProcess)
	eventually(t, "a register holds the counter's address", func() bool {
		stopped, err := h.Stop(t.Context())
		require.NoError(t, err)
		words := h.held.registers()
		require.NotEmpty(t, words)
		found := false
		_, err = h.Roots(t.Context(), func(piece []byte) { found = found || len(piece) == len(words) && slices.Equal(piece[:64], words[:64]) })
		require.NoError(t, err)
		require.True(t, found, "what Roots shows")
		require.NoError(t, stopped.Resume())
		require.Nil(t, h.held.registers(), "the process goes on")
		for ; len(words) >= 8; words = words[8:] {
			if binary.LittleEndian.Uint64(words) == r.Counters[0] {
				return true
			}
		}
		return false
	})
}
