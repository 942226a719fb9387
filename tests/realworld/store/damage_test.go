package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/glassheaptest"
)

var threeRecords = []record{
	{key: []byte("a"), value: []byte("first")},
	{key: []byte("b"), value: []byte{}, deleted: true},
	{key: []byte("bc"), value: []byte("last")},
}

func threeEncoded() (text []byte) {
	for _, r := range threeRecords {
		text = append(text, encoded(r)...)
	}
	return text
}

// TestALogThatIsCutOff has what was written before, and is an error where a later log follows.
func TestALogThatIsCutOff(t *testing.T) {
	t.Parallel()
	heap := glassheaptest.New(t)
	path := filepath.Join(t.TempDir(), "1.log")
	text := threeEncoded()
	ends := map[int]bool{0: true}
	for n, r := 0, 0; r < len(threeRecords); r++ {
		n += threeRecords[r].bytes()
		ends[n] = true
	}
	whole := 0
	for n := range len(text) + 1 {
		if n > 0 && ends[n] {
			whole++
		}
		require.NoError(t, os.WriteFile(path, text[:n], 0o600))
		var got []record
		require.NoError(t, replay(heap, path, true, func(r record) error {
			got = append(got, record{bytes.Clone(r.key), bytes.Clone(r.value), r.deleted})
			return nil
		}))
		require.Len(t, got, whole)
		if whole > 0 {
			require.Equal(t, threeRecords[:whole], got)
		}
		err := replay(heap, path, false, func(record) error { return nil })
		if ends[n] {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, errShort)
		}
	}
}

// TestEveryBitOfALog that is another one is an error that says where.
func TestEveryBitOfALog(t *testing.T) {
	t.Parallel()
	heap := glassheaptest.New(t)
	path := filepath.Join(t.TempDir(), "1.log")
	text := threeEncoded()
	for bit := range len(text) * 8 {
		damaged := bytes.Clone(text)
		damaged[bit/8] ^= 1 << (bit % 8)
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		err := replay(heap, path, true, func(record) error { return nil })
		var d *damage
		require.ErrorAs(t, err, &d, "bit %d", bit)
		require.Equal(t, path, d.path)
		require.LessOrEqual(t, d.offset, int64(bit/8))
	}
}

// TestEveryBitOfASegment that is another one is told when it is opened, or when what it is about is read; no answer is wrong.
func TestEveryBitOfASegment(t *testing.T) {
	t.Parallel()
	heap := glassheaptest.New(t)
	whole := segmentFile(t, heap, threeRecords)
	for bit := range len(whole) * 8 {
		damaged := bytes.Clone(whole)
		damaged[bit/8] ^= 1 << (bit % 8)
		s := &segment{path: "it", file: bytes.NewReader(damaged), heap: heap}
		err := s.load(int64(len(damaged)))
		for _, want := range threeRecords {
			if err == nil {
				var f found
				var ok bool
				if f, ok, err = s.get(want.key); err == nil {
					require.True(t, ok, "bit %d", bit)
					require.Equal(t, want, f.record, "bit %d", bit)
				}
				require.NoError(t, f.freeIfFound(ok))
			}
		}
		var d *damage
		require.ErrorAs(t, err, &d, "bit %d", bit)
		require.NoError(t, s.close())
	}
}

func (f found) freeIfFound(ok bool) error {
	if !ok {
		return nil
	}
	return f.free()
}

// segmentFile is what a segment with these records looks like.
func segmentFile(t require.TestingT, heap *allocator.Heap, records []record) []byte {
	path, err := os.MkdirTemp("", "segment")
	require.NoError(t, err)
	defer os.RemoveAll(path)
	m, err := newMemtable(heap, 1, false)
	require.NoError(t, err)
	for i, r := range records {
		n, err := m.newNode(randomHeight(), uint64(i), r)
		require.NoError(t, err)
		m.insert(n)
	}
	name := filepath.Join(path, "it")
	require.NoError(t, writeSegment(heap, name, m.cursor(nil, uint64(len(records))), false))
	require.NoError(t, m.scope.Free())
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return text
}

// TestFiltersHaveWhatTheyWereMadeFor, and of other keys few.
func TestFiltersHaveWhatTheyWereMadeFor(t *testing.T) {
	t.Parallel()
	heap := glassheaptest.New(t)
	for _, n := range []int{0, 1, 2, 3, 1000} {
		var hashes []uint64
		for i := range n {
			hashes = append(hashes, hashOf(fmt.Append(nil, "key", i)))
		}
		f, err := filterFor(heap, hashes)
		require.NoError(t, err)
		for i := range n {
			require.True(t, f.mayHave(fmt.Append(nil, "key", i)))
		}
		others := 0
		for i := range 10000 {
			if f.mayHave(fmt.Append(nil, "other", i)) {
				others++
			}
		}
		if n == 0 || n > 100 { // a filter of a few bits tells little
			require.Less(t, others, 200, "of 10,000")
		}
		require.NoError(t, heap.Free(f.bits))
	}
}

// FuzzLog: whatever a log is, what is read of it is what it begins with.
func FuzzLog(f *testing.F) {
	f.Add(threeEncoded())
	f.Fuzz(func(t *testing.T, text []byte) {
		var again []byte
		err := records("it", text, func(r record) error {
			again = append(again, encoded(r)...)
			return nil
		})
		var d *damage
		if errors.As(err, &d) {
			text = text[:d.offset]
		}
		require.Equal(t, text, append([]byte{}, again...))
	})
}

// FuzzSegment: whatever a segment is, with checksums that fit, it is refused or read; nothing is left behind.
func FuzzSegment(f *testing.F) {
	heap, err := allocator.New(allocator.Options{Name: "fuzz"})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, heap.Close()) })
	f.Add(segmentFile(f, heap, threeRecords))
	f.Add(segmentFile(f, heap, nil))
	f.Fuzz(func(t *testing.T, file []byte) {
		withSums(file)
		s := &segment{path: "it", file: bytes.NewReader(file), heap: heap}
		err := s.load(int64(len(file)))
		if err == nil {
			c := s.cursor(nil)
			for ok := true; ok && err == nil; {
				if ok, err = c.next(); ok {
					key := bytes.Clone(c.record().key)
					f, found, err := s.get(key)
					require.NoError(t, f.freeIfFound(found && err == nil))
				}
			}
			require.NoError(t, c.close())
		}
		require.NoError(t, s.close())
		require.Zero(t, heap.Stats().LiveBlocks)
	})
}

// withSums gives a file the checksums that it should have, as far as it has a place for them.
func withSums(file []byte) {
	at := len(file) - int(trailerBytes)
	if at < 0 {
		return
	}
	var t trailer
	if _, err := binary.Decode(file[at:], binary.LittleEndian, &t); err != nil {
		return
	}
	if t.RecordBytes <= uint64(at) {
		t.IndexSum = crc32.Checksum(file[t.RecordBytes:at], castagnoli)
	}
	t.Sum = t.sum()
	_, _ = binary.Encode(file[at:], binary.LittleEndian, t)
}
