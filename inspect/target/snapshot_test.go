package target

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

var takenThen = time.Date(2026, 11, 24, 18, 53, 7, 0, time.UTC)

// noise can't be compressed.
func noise(seed uint64, bytes int) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	p := make([]byte, bytes)
	rand.NewChaCha8(key).Read(p)
	return p
}

// patchwork is a heap of zeros, text and noise in pieces of all sizes.
func patchwork(seed uint64, size int) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	heap := heapBytes(size)
	for at := headerBytes; at < size; {
		n := min(size-at, 1+r.IntN(1<<(4+r.IntN(17))))
		switch r.IntN(3) {
		case 1:
			copy(heap[at:], bytes.Repeat([]byte("glassheap"), n/9))
		case 2:
			copy(heap[at:], noise(r.Uint64(), n))
		}
		at += n
	}
	return heap
}

func snapshotOf(t testing.TB, heap []byte, extents []Extent, info SnapshotInfo) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, WriteSnapshot(t.Context(), &out, FromBytes(heap), extents, info, nil))
	return out.Bytes()
}

func whole(heap []byte) []Extent { return []Extent{{0, int64(len(heap))}} }

func openBytes(file []byte) (*snapshot, error) {
	return newSnapshot("x.snapshot", bytes.NewReader(file), int64(len(file)))
}

func TestSnapshot(t *testing.T) {
	for seed := range uint64(8) {
		heap := patchwork(seed, 5<<20+int(seed)*1234)
		info := SnapshotInfo{PID: 4711, Program: "cacheserver", Heap: "in bytes", Base: 0x7f0000000000, Size: int64(len(heap)), Taken: takenThen}
		path := filepath.Join(t.TempDir(), "x.snapshot")
		require.NoError(t, SaveSnapshot(t.Context(), path, FromBytes(heap), whole(heap), info, nil))
		for _, open := range []func(string) (Target, error){OpenSnapshot, pathOpener(t)} {
			s, err := open(path)
			require.NoError(t, err)
			require.EqualValues(t, len(heap), s.Size())
			require.EqualValues(t, 0x7f0000000000, s.Base())
			require.Equal(t, Description{
				Kind: KindSnapshot, PID: 4711, Program: "cacheserver", Path: path, Heap: "in bytes", Door: "snapshot", Taken: takenThen,
			}, s.Description())
			require.EqualValues(t, layout.Version, s.(*snapshot).info.Format)
			require.Equal(t, InfoOf(s, nil, time.Now()).Taken, takenThen)
			p := make([]byte, len(heap)+1)
			n, err := s.ReadAt(p, 0)
			require.Equal(t, io.EOF, err)
			require.True(t, bytes.Equal(heap, p[:n]))
			r := rand.New(rand.NewPCG(seed, 3))
			for range 1000 {
				at, bytesWanted := r.Int64N(int64(len(heap))), r.IntN(10_000)
				n, err := s.ReadAt(p[:bytesWanted], at)
				want := heap[at:min(at+int64(bytesWanted), int64(len(heap)))]
				require.Equal(t, len(want), n)
				require.True(t, bytes.Equal(want, p[:n]))
				require.Equal(t, n < bytesWanted, err == io.EOF)
			}
			require.NoError(t, s.Close())
		}
	}
}

func TestSnapshotEdges(t *testing.T) {
	heap := patchwork(1, 100_000)
	s, err := openBytes(snapshotOf(t, heap, whole(heap), SnapshotInfo{}))
	require.NoError(t, err)
	require.EqualValues(t, len(heap), s.Size(), "up to the last extent's end")
	require.Zero(t, s.Base())
	_, err = s.ReadAt(make([]byte, 5), -1)
	require.ErrorIs(t, err, errNegativeOffset)
	for _, beyond := range []int64{100_000, 100_001, 1<<63 - 1} {
		n, err := s.ReadAt(make([]byte, 5), beyond)
		require.Zero(t, n)
		require.Equal(t, io.EOF, err)
	}
	n, err := s.ReadAt(nil, 1<<40)
	require.Zero(t, n)
	require.NoError(t, err)
	require.NoError(t, s.Close())

	empty, err := openBytes(snapshotOf(t, nil, nil, SnapshotInfo{}))
	require.NoError(t, err)
	n, err = empty.ReadAt(make([]byte, 5), 0)
	require.Zero(t, n)
	require.Equal(t, io.EOF, err)
}

// TestSnapshotOfExtents takes parts, in any order and overlapping: the rest is zeros.
func TestSnapshotOfExtents(t *testing.T) {
	heap := patchwork(2, 9<<20)
	for i := range heap {
		heap[i] |= 1 // no zeros, so that each byte shows whether it was taken
	}
	extents := []Extent{{5 << 20, 3<<20 + 17}, {0, 4096}, {100, 5000}, {8<<20 - 1, 2}, {9 << 20, 0}, {6 << 20, 100}, {9<<20 - 3, 3}}
	want := make([]byte, len(heap))
	for _, e := range extents {
		copy(want[e.Offset:e.end()], heap[e.Offset:e.end()])
	}
	file := snapshotOf(t, heap, extents, SnapshotInfo{Size: int64(len(heap))})
	s, err := openBytes(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, readWhole(t, s)))

	parts, err := s.data(Extent{0, s.Size()})
	require.NoError(t, err)
	require.EqualValues(t, 0, parts[0].Offset)
	require.Len(t, parts, 5) // MiB 0, 5, 6, 7 and 8

	frozen, err := Freeze(t.Context(), FromBytes(heap), extents)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, readWhole(t, frozen)))
	var again bytes.Buffer
	require.NoError(t, WriteSnapshot(t.Context(), &again, frozen, whole(heap), SnapshotInfo{Size: int64(len(heap))}, nil))
	require.Equal(t, file, again.Bytes())
	require.NoError(t, frozen.Close())

	for _, impossible := range [][]Extent{{{-1, 5}}, {{0, -1}}, {{1 << 62, 1 << 62}}, {{5, 1<<63 - 1}}, {{0, mostHeapBytes + 1}}, {{9 << 20, 1}}} {
		require.Error(t, WriteSnapshot(t.Context(), io.Discard, FromBytes(heap), impossible, SnapshotInfo{Size: int64(len(heap))}, nil), impossible)
	}
	require.Error(t, WriteSnapshot(t.Context(), io.Discard, FromBytes(heap), nil, SnapshotInfo{Size: -1}, nil))
	require.Error(t, WriteSnapshot(t.Context(), io.Discard, FromBytes(heap), nil, SnapshotInfo{Program: string(make([]byte, mostInfoBytes))}, nil))
}

// readWhole reads up to the end, each piece into room that was used before.
func readWhole(t testing.TB, source io.ReaderAt) (all []byte) {
	t.Helper()
	piece := bytes.Repeat([]byte{0xaa}, 77_777)
	for {
		n, err := source.ReadAt(piece, int64(len(all)))
		all = append(all, piece[:n]...)
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
	}
}

// TestSnapshotIsDeterministic writes the same heap with one processor and with several.
func TestSnapshotIsDeterministic(t *testing.T) {
	heap := patchwork(3, 20<<20)
	var files [][]byte
	for _, processors := range []int{1, 4, 4, 2} {
		before := runtime.GOMAXPROCS(processors)
		files = append(files, snapshotOf(t, heap, whole(heap), SnapshotInfo{Taken: takenThen}))
		runtime.GOMAXPROCS(before)
	}
	for _, file := range files[1:] {
		require.True(t, bytes.Equal(files[0], file))
	}
}

func TestSnapshotOfZerosIsSmall(t *testing.T) {
	heap := heapBytes(64 << 20)
	heap[50<<20+5*layout.PageBytes] = 1
	file := snapshotOf(t, heap, whole(heap), SnapshotInfo{})
	require.Less(t, len(file), 1000)
	s, err := openBytes(file)
	require.NoError(t, err)
	require.Len(t, s.chunks, 2)
	require.EqualValues(t, layout.PageBytes, s.chunks[1].bytes)
	require.EqualValues(t, 50<<20+5*layout.PageBytes, s.chunks[1].offset)
}

// tornSource ends early or fails.
type tornSource struct {
	io.ReaderAt
	end int64
	err error
}

func (s tornSource) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) <= s.end {
		return s.ReaderAt.ReadAt(p, offset)
	}
	n := max(0, s.end-offset)
	if n > 0 {
		s.ReaderAt.ReadAt(p[:n], offset)
	}
	for i := range p[n:] {
		p[int(n)+i] = 0xff // a reader may use the rest as it likes
	}
	return int(n), s.err
}

func TestSnapshotOfTornSource(t *testing.T) {
	heap := patchwork(4, 3<<20)
	source := tornSource{FromBytes(heap), 2<<20 + 100_000, io.EOF}
	var out bytes.Buffer
	require.NoError(t, WriteSnapshot(t.Context(), &out, source, whole(heap), SnapshotInfo{}, nil))
	s, err := openBytes(out.Bytes())
	require.NoError(t, err)
	want := append(bytes.Clone(heap[:source.end]), make([]byte, int64(len(heap))-source.end)...)
	require.True(t, bytes.Equal(want, readWhole(t, s)))

	source.err = errors.New("a bad day")
	require.ErrorIs(t, WriteSnapshot(t.Context(), io.Discard, source, whole(heap), SnapshotInfo{}, nil), source.err)
	_, err = Freeze(t.Context(), source, whole(heap))
	require.ErrorIs(t, err, source.err)
}

type fullDisk struct{ left int }

var errFull = errors.New("the disk is full")

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestSnapshotToFullDisk(t *testing.T) {
	heap := patchwork(5, 3<<20)
	size := len(snapshotOf(t, heap, whole(heap), SnapshotInfo{}))
	for left := 0; left < size; left += max(1, size/50) {
		require.ErrorIs(t, WriteSnapshot(t.Context(), &fullDisk{left}, FromBytes(heap), whole(heap), SnapshotInfo{}, nil), errFull)
	}
	require.ErrorIs(t, WriteSnapshot(t.Context(), &fullDisk{size - 1}, FromBytes(heap), whole(heap), SnapshotInfo{}, nil), errFull)
}

func TestSaveSnapshotCleansUp(t *testing.T) {
	heap := patchwork(6, 20<<20)
	folder := t.TempDir()
	path := filepath.Join(folder, "x.snapshot")
	require.NoError(t, os.WriteFile(path, []byte("an older one"), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	var last int64
	err := SaveSnapshot(ctx, path, FromBytes(heap), whole(heap), SnapshotInfo{}, func(done, total int64) {
		require.EqualValues(t, len(heap), total)
		require.Greater(t, done, last)
		if last = done; done > total/2 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	names, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, names, 1)
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "an older one", string(kept))

	link := filepath.Join(folder, "link")
	require.NoError(t, os.Symlink("x.snapshot", link))
	var done, total int64
	require.NoError(t, SaveSnapshot(t.Context(), link, FromBytes(heap), whole(heap), SnapshotInfo{}, func(d, n int64) { done, total = d, n }))
	require.Equal(t, total, done)
	s, err := OpenSnapshot(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077)
	info, err = os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)

	// A folder of our own and not a device: where the check fails, root would replace the device.
	require.ErrorContains(t, SaveSnapshot(t.Context(), t.TempDir(), FromBytes(heap), whole(heap), SnapshotInfo{}, nil), "not a regular file")
	require.Error(t, SaveSnapshot(t.Context(), filepath.Join(folder, "no", "folder"), FromBytes(heap), whole(heap), SnapshotInfo{}, nil))
	names, err = os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, names, 2)
}

// smallSnapshot has every part of a snapshot, three chunks among them.
func smallSnapshot(t testing.TB) (file, heap []byte) {
	heap = heapBytes(4 << 20)
	copy(heap[1<<20+5000:], "the second chunk, with a few words that can be packed packed packed packed")
	copy(heap[3<<20:], noise(9, 200))
	return snapshotOf(t, heap, whole(heap), SnapshotInfo{PID: 4711, Heap: "in bytes", Taken: takenThen}), heap
}

func TestTruncatedSnapshot(t *testing.T) {
	file, _ := smallSnapshot(t)
	for n := range file {
		_, err := openBytes(file[:n])
		require.Error(t, err, n)
		if n >= snapshotHeaderBytes {
			require.ErrorAs(t, err, new(*TruncatedError), n)
		}
	}
	_, err := openBytes(append(bytes.Clone(file), 0))
	require.Error(t, err)
}

// TestFlippedSnapshot flips each bit: that is noticed, or changes nothing.
func TestFlippedSnapshot(t *testing.T) {
	file, heap := smallSnapshot(t)
	original, err := openBytes(file)
	require.NoError(t, err)
	noticed, damagedChunks := 0, 0
	for at := range file {
		for bit := range 8 {
			flipped := bytes.Clone(file)
			flipped[at] ^= 1 << bit
			s, err := openBytes(flipped)
			if err != nil {
				noticed++
				continue
			}
			require.Equal(t, original.info, s.info, "byte %d bit %d", at, bit)
			intact := 0
			for _, from := range []int64{0, 1 << 20, 3 << 20} {
				p := make([]byte, 10_000)
				n, err := s.ReadAt(p, from)
				var damage *DamagedError
				if errors.As(err, &damage) {
					require.LessOrEqual(t, damage.Offset, from+int64(n))
					require.Positive(t, damage.Bytes)
					damagedChunks++
					continue
				}
				require.NoError(t, err)
				require.True(t, bytes.Equal(heap[from:from+int64(n)], p), "byte %d bit %d", at, bit)
				intact++
			}
			require.GreaterOrEqual(t, intact, 2, "one flip damaged several chunks")
		}
	}
	require.Greater(t, noticed, 8*(snapshotHeaderBytes+snapshotFooterBytes+3*snapshotEntryBytes))
	require.Greater(t, damagedChunks, 8*200)
}

func TestRandomlyDamagedSnapshot(t *testing.T) {
	heap := patchwork(7, 3<<20)
	file := snapshotOf(t, heap, whole(heap), SnapshotInfo{})
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		damaged := bytes.Clone(file)
		for range 1 + r.IntN(20) {
			damaged[r.IntN(len(damaged))] = byte(r.Uint32())
		}
		s, err := openBytes(damaged)
		if err != nil {
			continue
		}
		p := make([]byte, 10_000)
		for at := 0; at < len(heap); at += len(p) {
			if n, err := s.ReadAt(p, int64(at)); !errors.As(err, new(*DamagedError)) {
				require.True(t, bytes.Equal(heap[at:at+n], p[:n]))
			}
		}
	}
}

// forge builds a snapshot whose checksums are right, whatever it says.
type forge struct {
	info   []byte
	chunks []chunk
	body   []byte
	adjust func(*footer)
}

func (f forge) file() []byte {
	file := append(snapshotHeader(f.info), f.body...)
	end := footer{index: int64(len(file)), chunks: int64(len(f.chunks))}
	for _, c := range f.chunks {
		file = c.appendTo(file)
	}
	end.sum = checksum(file[end.index:])
	end.fileBytes = int64(len(file)) + snapshotFooterBytes
	if f.adjust != nil {
		f.adjust(&end)
	}
	return append(file, end.bytes()...)
}

func TestForgedSnapshot(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	plain := noise(1, 4096)
	frame := encoder.EncodeAll(plain, nil)
	padded := func(info string) []byte { return fmt.Appendf(nil, "%-60s", info) } // the chunks stay in their places
	info := padded(`{"size":4194304}`)
	start := int64(snapshotHeaderBytes + len(info))
	one := chunk{offset: 0, place: start, bytes: 4096, packed: uint32(len(frame)), sum: checksum(plain)}
	second := one
	second.offset, second.place = 1<<20, start+int64(len(frame))
	two := append(bytes.Clone(frame), frame...)

	s, err := openBytes(forge{info: info, chunks: []chunk{one, second}, body: two}.file())
	require.NoError(t, err)
	require.Equal(t, plain, readPartOf(t, s, 1<<20, 4096))

	change := func(f func(*chunk)) []chunk {
		c := second
		f(&c)
		return []chunk{one, c}
	}
	for name, f := range map[string]forge{
		"unordered":               {chunks: change(func(c *chunk) { c.offset = 0 })},
		"overlapping":             {chunks: change(func(c *chunk) { c.offset = 2048 })},
		"same window":             {chunks: change(func(c *chunk) { c.offset = 8192 })},
		"behind the heap":         {chunks: change(func(c *chunk) { c.offset = 4 << 20 })},
		"far away":                {chunks: change(func(c *chunk) { c.offset = 1<<63 - 1 })},
		"before the heap":         {chunks: change(func(c *chunk) { c.offset = -4096 })},
		"no bytes":                {chunks: change(func(c *chunk) { c.bytes = 0 })},
		"too many bytes":          {chunks: change(func(c *chunk) { c.bytes = windowBytes + 1 })},
		"across windows":          {chunks: change(func(c *chunk) { c.offset += windowBytes - 100 })},
		"wrong place":             {chunks: change(func(c *chunk) { c.place = start })},
		"place behind the file":   {chunks: change(func(c *chunk) { c.place = 1 << 40 })},
		"negative place":          {chunks: change(func(c *chunk) { c.place = -1 })},
		"nothing packed":          {chunks: change(func(c *chunk) { c.packed = 0 })},
		"more packed than there":  {chunks: change(func(c *chunk) { c.packed++ })},
		"less packed than there":  {chunks: change(func(c *chunk) { c.packed-- })},
		"absurdly packed":         {chunks: change(func(c *chunk) { c.packed = 1<<32 - 1 })},
		"no chunks for the bytes": {},
		"many chunks":             {chunks: []chunk{one, second}, adjust: func(f *footer) { f.chunks = 1 << 40 }},
		"negative chunks":         {chunks: []chunk{one, second}, adjust: func(f *footer) { f.chunks = -1 }},
		"overflowing chunks":      {chunks: []chunk{one, second}, adjust: func(f *footer) { f.chunks = 1 << 59 }},
		"index in the header":     {chunks: []chunk{one, second}, adjust: func(f *footer) { f.index = 0 }},
		"index far away":          {chunks: []chunk{one, second}, adjust: func(f *footer) { f.index = 1<<63 - 1 }},
		"other size":              {chunks: []chunk{one, second}, adjust: func(f *footer) { f.fileBytes++ }},
		"other index":             {chunks: []chunk{one, second}, adjust: func(f *footer) { f.sum++ }},
		"info is no JSON":         {info: padded(`{"size":4194304,`), chunks: []chunk{one, second}},
		"negative heap":           {info: padded(`{"size":-4194304}`), chunks: []chunk{one, second}},
		"endless heap":            {info: padded(`{"size":4194304000000000000}`), chunks: []chunk{one, second}},
		"heap around the end":     {info: padded(`{"size":4194304, "base":18446744073709551615}`), chunks: []chunk{one, second}},
	} {
		if f.info == nil {
			f.info = info
		}
		f.body = two
		_, err := openBytes(f.file())
		require.ErrorAs(t, err, new(*DamagedError), name)
	}

	newer := forge{info: info, chunks: []chunk{one, second}, body: two}.file()
	binary.LittleEndian.PutUint32(newer[8:], 3)
	_, err = openBytes(newer)
	require.Equal(t, &VersionError{Path: "x.snapshot", Found: 3, Known: 2}, err)
}

func readPartOf(t testing.TB, source io.ReaderAt, offset int64, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	got, err := source.ReadAt(p, offset)
	require.NoError(t, err)
	require.Equal(t, n, got)
	return p
}

// TestBomb decodes frames that are more than they say: it takes no more memory than a window.
func TestBomb(t *testing.T) {
	encoder, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true))
	require.NoError(t, err)
	bomb := encoder.EncodeAll(make([]byte, 64<<20), nil)
	var streamed bytes.Buffer // its frame doesn't tell its size
	stream, err := zstd.NewWriter(&streamed, zstd.WithWindowSize(1<<20))
	require.NoError(t, err)
	for range 64 {
		_, err = stream.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, stream.Close())
	half := encoder.EncodeAll(make([]byte, windowBytes), nil)
	info := []byte(`{"size":4194304}`)
	for name, frame := range map[string][]byte{
		"sized": bomb, "streamed": streamed.Bytes(), "many frames": bytes.Repeat(half, 64), "no frame": []byte("x"), "short": encoder.EncodeAll(nil, nil),
	} {
		c := chunk{place: int64(snapshotHeaderBytes + len(info)), bytes: windowBytes, packed: uint32(len(frame)), sum: 5}
		s, err := openBytes(forge{info: info, chunks: []chunk{c}, body: frame}.file())
		require.NoError(t, err, name)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = s.ReadAt(make([]byte, 10), 0)
		runtime.ReadMemStats(&after)
		var damage *DamagedError
		require.ErrorAs(t, err, &damage, name)
		require.Equal(t, windowBytes, int(damage.Bytes))
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), name)
		// The rest of the heap can be read.
		require.Equal(t, make([]byte, 10), readPartOf(t, s, 2<<20, 10))
	}
}

// TestFrameOfUnknownSize reads chunks whose frames do not tell how much they hold, whole and in part.
func TestFrameOfUnknownSize(t *testing.T) {
	info := []byte(`{"size":4194304}`)
	for _, n := range []int{1, 100, 4096, 128<<10 + 1, windowBytes - 1, windowBytes} {
		for kind, plain := range map[string][]byte{"noise": noise(1, n), "repeated": bytes.Repeat([]byte("repeated"), n/8+1)[:n]} {
			var streamed bytes.Buffer
			stream, err := zstd.NewWriter(&streamed, zstd.WithWindowSize(windowBytes), zstd.WithSingleSegment(false))
			require.NoError(t, err)
			for rest := plain; len(rest) > 0; rest = rest[min(len(rest), 5000):] {
				_, err = stream.Write(rest[:min(len(rest), 5000)])
				require.NoError(t, err)
				require.NoError(t, stream.Flush())
			}
			require.NoError(t, stream.Close())
			c := chunk{place: int64(snapshotHeaderBytes + len(info)), bytes: uint32(n), packed: uint32(streamed.Len()), sum: checksum(plain)}
			s, err := openBytes(forge{info: info, chunks: []chunk{c}, body: streamed.Bytes()}.file())
			require.NoError(t, err)
			require.True(t, bytes.Equal(plain, readPartOf(t, s, 0, n)), "%d bytes of %s, whole", n, kind)
			require.True(t, bytes.Equal(plain[n/2:], readPartOf(t, s, int64(n/2), n-n/2)), "%d bytes of %s, in part", n, kind)
		}
	}
}

// TestShortFrame has a chunk that is shorter than the index says, with the checksum of what is there.
func TestShortFrame(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	plain := noise(1, 4096)
	frame := encoder.EncodeAll(plain, nil)
	info := []byte(`{"size":4194304}`)
	c := chunk{place: int64(snapshotHeaderBytes + len(info)), bytes: 8192, packed: uint32(len(frame)), sum: checksum(plain)}
	s, err := openBytes(forge{info: info, chunks: []chunk{c}, body: frame}.file())
	require.NoError(t, err)
	for _, at := range []int64{0, 4096, 8000} {
		_, err = s.ReadAt(make([]byte, 10), at)
		require.Equal(t, &DamagedError{Path: "x.snapshot", Bytes: 8192, Reason: "4096 bytes were decoded instead of 8192"}, err)
	}
}

// TestSnapshotCache reads with many goroutines more than is kept.
func TestSnapshotCache(t *testing.T) {
	heap := patchwork(8, 40<<20)
	s, err := openBytes(snapshotOf(t, heap, whole(heap), SnapshotInfo{}))
	require.NoError(t, err)
	var decoded atomic.Int64
	decode := s.cache.decode
	s.cache.decode = func(i int) ([]byte, error) {
		decoded.Add(1)
		return decode(i)
	}
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 5))
			p := make([]byte, 100_000)
			for range 60 {
				at := r.Int64N(int64(len(heap) - len(p)))
				if n, err := s.ReadAt(p, at); err != nil || !bytes.Equal(p[:n], heap[at:at+int64(n)]) {
					t.Error(n, err)
				}
			}
		})
	}
	readers.Wait()
	require.LessOrEqual(t, s.cache.bytes, mostCachedBytes)
	require.Greater(t, s.cache.bytes, mostCachedBytes-2*windowBytes)
	counted := 0
	for e := s.cache.recent.Front(); e != nil; e = e.Next() {
		counted += e.Value.(*cached).bytes
		require.Same(t, e, s.cache.byID[e.Value.(*cached).id])
	}
	require.Equal(t, counted, s.cache.bytes)
	require.Equal(t, len(s.cache.byID), s.cache.recent.Len())

	decoded.Store(0)
	for at := range 1000 {
		readPartOf(t, s, int64(5<<20+at*1000), 1000)
	}
	require.LessOrEqual(t, decoded.Load(), int64(2), "a chunk that is in use is decoded once")

	// One that is used again and again stays, whatever is read in between.
	var first atomic.Int64
	s.cache.decode = func(i int) ([]byte, error) {
		if i == 0 {
			first.Add(1)
		}
		return decode(i)
	}
	for at := range 40 {
		readPartOf(t, s, int64(at)<<20+100, 10)
		readPartOf(t, s, 0, 10)
	}
	require.LessOrEqual(t, first.Load(), int64(1))
}

func TestFrozen(t *testing.T) {
	heap := patchwork(9, 5<<20)
	f, err := Freeze(t.Context(), FromBytes(heap), whole(heap))
	require.NoError(t, err)
	want := bytes.Clone(heap)
	clear(heap)
	require.True(t, bytes.Equal(want, readWhole(t, f)))
	n, err := f.ReadAt(make([]byte, 5), 5<<20)
	require.Zero(t, n)
	require.Equal(t, io.EOF, err)
	_, err = f.ReadAt(make([]byte, 5), -1)
	require.ErrorIs(t, err, errNegativeOffset)
	require.NoError(t, f.Close())
	_, err = f.ReadAt(make([]byte, 5), 0)
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorIs(t, f.Close(), os.ErrClosed)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Freeze(ctx, FromBytes(heap), whole(heap))
	require.ErrorIs(t, err, context.Canceled)
	empty, err := Freeze(t.Context(), FromBytes(heap), nil)
	require.NoError(t, err)
	require.NoError(t, empty.Close())
}

// FuzzSnapshot opens and reads arbitrary bytes: an error or zeros, never a panic, and never more than the file can hold.
func FuzzSnapshot(f *testing.F) {
	file, _ := smallSnapshot(f)
	f.Add(file, int64(0), true)
	f.Add(file[:len(file)/2], int64(5), false)
	f.Add(snapshotOf(f, nil, nil, SnapshotInfo{}), int64(1<<40), true)
	f.Fuzz(func(t *testing.T, file []byte, at int64, mend bool) {
		if mend {
			file = mended(file)
		}
		s, err := openBytes(file)
		if err != nil {
			return
		}
		p := make([]byte, 100_000)
		places := []int64{at, 0}
		for _, c := range s.chunks[:min(len(s.chunks), 10)] {
			places = append(places, c.offset, c.end()-1)
		}
		for _, at := range places {
			n, err := s.ReadAt(p, at)
			if n < 0 || n > len(p) || n < len(p) && err == nil {
				t.Fatalf("read %d of %d bytes at %d: %v", n, len(p), at, err)
			}
			if err == io.EOF && at+int64(n) != s.Size() && at < s.Size() {
				t.Fatalf("the heap of %d bytes ended at %d", s.Size(), at+int64(n))
			}
		}
		if _, err := json.Marshal(s.Description()); err != nil {
			t.Fatal(err)
		}
		_ = s.Description().String()
	})
}

// mended makes the checksums right where there is something like them, so that what lies behind is reached.
func mended(file []byte) []byte {
	file = bytes.Clone(file)
	if len(file) < snapshotHeaderBytes+snapshotFooterBytes {
		return file
	}
	infoEnd := int64(snapshotHeaderBytes) + int64(binary.LittleEndian.Uint32(file[12:]))
	if infoEnd <= int64(len(file)) {
		binary.LittleEndian.PutUint32(file[20:], checksum(file[snapshotHeaderBytes:infoEnd]))
	}
	binary.LittleEndian.PutUint32(file[snapshotHeaderBytes-4:], checksum(file[:snapshotHeaderBytes-4]))
	end := file[len(file)-snapshotFooterBytes:]
	f, _ := parseFooter(end)
	f.fileBytes = int64(len(file))
	if f.index >= 0 && f.index <= int64(len(file)-snapshotFooterBytes) {
		f.sum = checksum(file[f.index : len(file)-snapshotFooterBytes])
	}
	copy(end, f.bytes())
	return file
}
