package inspect_test

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// secret is what the programs of these tests keep in every byte of their blocks.
const secret = "hunter2!"

// secretive is a heap with secrets in every place: live, aligned, freed, held back, large, guarded, and behind the ends of blocks.
func secretive(t *testing.T, o allocator.Options) (h *allocator.Heap, live [][]byte) {
	t.Helper()
	h = newHeap(t, o)
	for n := range 400 {
		size := 8 + n*7%300
		b, err := h.Alloc(size)
		if n%9 == 0 {
			b, err = h.AllocAligned(size, 64)
		}
		if n%40 == 0 {
			b, err = h.Alloc(40_000 + n)
		}
		require.NoError(t, err)
		copy(b, strings.Repeat(secret, len(b)/len(secret)+1))
		if n%3 == 0 {
			require.NoError(t, h.Free(b))
		} else {
			live = append(live, b)
		}
	}
	return h, live
}

// snapshotted writes a snapshot of a heap's memory and opens it.
func snapshotted(t *testing.T, from target.Target, o inspect.SnapshotOptions) target.Target {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.snapshot")
	r, err := inspect.Snapshot(t.Context(), from, path, o)
	require.NoError(t, err)
	require.Equal(t, o.Metadata || from.Description().Metadata, r.Metadata)
	s, err := target.Open(t.Context(), path, target.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// everything is a target's memory, without the MiB that hold nothing.
func everything(t *testing.T, from target.Target) (all []byte) {
	t.Helper()
	window, nothing := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < from.Size(); at += int64(len(window)) {
		n, err := from.ReadAt(window, at)
		if err != io.EOF {
			require.NoError(t, err)
		}
		if !bytes.Equal(window[:n], nothing[:n]) {
			all = append(all, window[:n]...)
		}
	}
	return all
}

// listed is all blocks of a heap, as text.
func listed(t *testing.T, from target.Target) (lines []string) {
	t.Helper()
	h, err := inspect.Open(t.Context(), from)
	require.NoError(t, err)
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	for _, s := range slabs.Slabs {
		blocks, err := h.Blocks(uint64(s.Base))
		require.NoError(t, err)
		for _, b := range blocks.Blocks {
			lines = append(lines, strings.Join([]string{b.Address.String(), b.Place.String(), layout.Hex(uint64(b.Requested)), layout.Hex(uint64(b.Aligned)), string(b.Seal)}, " "))
		}
	}
	return lines
}

// TestMetadataSnapshots: one without the users' bytes has none of them, and tells all else that a whole one tells.
func TestMetadataSnapshots(t *testing.T) {
	for name, o := range map[string]allocator.Options{
		"sealed": {}, "plain": {Mode: allocator.ModePlain}, "audited": {Mode: allocator.ModeAudit, QuarantineBytes: 1 << 20}, "guarded": {Mode: allocator.ModeAudit, GuardRate: 5},
	} {
		t.Run(name, func(t *testing.T) {
			o.ReserveBytes, o.Name = 64<<20, name
			h, _ := secretive(t, o)
			from := target.FromBytes(image(t, h))
			whole := snapshotted(t, from, inspect.SnapshotOptions{})
			require.True(t, bytes.Contains(everything(t, whole), []byte(secret)), "or this test shows nothing")
			without := snapshotted(t, from, inspect.SnapshotOptions{Metadata: true})
			require.True(t, without.Description().Metadata)
			require.Contains(t, without.Description().String(), "metadata snapshot")
			for i := range len(secret) - 3 {
				require.False(t, bytes.Contains(everything(t, without), []byte(secret[i:i+4])), "a part of the secret: %s", secret[i:i+4])
			}
			require.Equal(t, listed(t, whole), listed(t, without))

			checked, err := inspect.Check(t.Context(), without, inspect.CheckOptions{})
			require.NoError(t, err)
			require.Empty(t, checked.Findings)
			require.Empty(t, checked.Unsettled)
			require.Contains(t, strings.Join(checked.Notes, " "), "not in the snapshot")
			leaks := func(from target.Target) *inspect.LeaksReport {
				h, err := inspect.Open(t.Context(), from)
				require.NoError(t, err)
				r, err := h.Leaks(t.Context(), inspect.LeakOptions{})
				require.NoError(t, err)
				r.Heap, r.Elapsed = inspect.Summary{}, 0
				return r
			}
			require.Equal(t, leaks(whole), leaks(without))

			// What is not there can't be had by taking it once more.
			again := snapshotted(t, without, inspect.SnapshotOptions{})
			require.True(t, again.Description().Metadata)
			require.Equal(t, everything(t, without), everything(t, again))
		})
	}
}

// TestMetadataSnapshotsShowBrokenSeals: what was written over a seal is found, with the block; what was written before one is
// not, and nobody claims to know.
func TestMetadataSnapshotsShowBrokenSeals(t *testing.T) {
	h, live := secretive(t, allocator.Options{ReserveBytes: 64 << 20})
	memory := image(t, h)
	opened, err := inspect.Open(t.Context(), target.FromBytes(memory))
	require.NoError(t, err)
	base := opened.Identity().Base
	at := func(b []byte, n int) *byte { return &memory[addressOf(b)+uint64(n)-base] }
	var short, long []byte
	for _, b := range live {
		switch {
		case len(b)%8 == 2 && len(b) < 64 && short == nil:
			short = b
		case len(b) > 40_000:
			long = b
		}
	}
	require.NotNil(t, short)
	check := func(findings int) *inspect.CheckReport {
		r, err := inspect.Check(t.Context(), snapshotted(t, target.FromBytes(memory), inspect.SnapshotOptions{Metadata: true}), inspect.CheckOptions{})
		require.NoError(t, err)
		require.Len(t, r.Findings, findings)
		return r
	}
	seal := len(short) + 6
	*at(short, len(short)) = 'x' // slack
	check(0)
	*at(short, seal) = 'x'
	r := check(1)
	require.Equal(t, inspect.CodeOverflow, r.Findings[0].Code)
	require.EqualValues(t, addressOf(short), r.Findings[0].Address)
	require.Equal(t, fmt.Sprintf("the seal behind a live block of %d is written over, 1 byte of it", len(short)), r.Findings[0].Summary)
	require.Contains(t, r.Findings[0].Cause, "not in the snapshot")
	require.Equal(t, seal, r.Findings[0].Excerpt.Offset, "it begins with the seal")
	require.Len(t, r.Findings[0].Excerpt.Bytes, layout.SealBytes)

	end := (len(long)+layout.SealBytes+layout.PageBytes-1)/layout.PageBytes*layout.PageBytes - layout.SealBytes
	*at(long, end+2) = 'x'
	*at(long, end+3) = 'x'
	r = check(2)
	require.Contains(t, r.Findings[1].Summary, "the seal behind a live span of ")

	// Every address has an answer.
	s := snapshotted(t, target.FromBytes(memory), inspect.SnapshotOptions{Metadata: true})
	opened, err = inspect.Open(t.Context(), s)
	require.NoError(t, err)
	for _, b := range live {
		whatis, err := opened.Whatis(addressOf(b))
		require.NoError(t, err)
		require.Contains(t, strings.Join(whatis.Notes, " "), "not in the snapshot")
		dump, err := opened.Hexdump(addressOf(b), 0)
		require.NoError(t, err)
		for _, m := range dump.Marks {
			require.Contains(t, []inspect.MarkKind{inspect.MarkMissing, inspect.MarkSeal, inspect.MarkDamage}, m.Kind)
		}
	}
	_, err = opened.Map(t.Context(), inspect.MapOptions{Bin: -1, Address: addressOf(short)})
	require.NoError(t, err)
}

// TestSnapshotsOfVersion1: a snapshot that was written in the first version of its format is read as ever. Its heap has a format
// of its own, whose version may be another one by now.
func TestSnapshotsOfVersion1(t *testing.T) {
	s, err := target.Open(t.Context(), "testdata/version1.snapshot", target.Options{})
	require.NoError(t, err)
	defer s.Close()
	d := s.Description()
	require.Equal(t, []any{target.KindSnapshot, 13214, "leaker", "leaker", false}, []any{d.Kind, d.PID, d.Program, d.Heap, d.Metadata})
	require.Equal(t, "2026-11-25 01:19:07", d.Taken.UTC().Format("2006-01-02 15:04:05"))
	require.EqualValues(t, 308281344, s.Size())
	require.True(t, bytes.HasPrefix(everything(t, s), []byte("GLASHEAP")))
	r, err := inspect.Check(t.Context(), s, inspect.CheckOptions{})
	require.NoError(t, err)
	require.Empty(t, r.Findings)
	require.Empty(t, r.Notes, "its blocks are all there")
	require.EqualValues(t, 208, r.Heap.LiveBlocks)
	require.EqualValues(t, 360, r.Blocks)
}
