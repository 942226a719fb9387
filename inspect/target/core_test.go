package target

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// draft is a core to be written as somebody could have.
type draft struct {
	segments []draftSegment
	notes    []byte
	extended bool // the number of segments is in the first section header, as the kernel writes more than 65,534
	sections bool // with section headers, as gcore writes them
	last     bool // the program headers are at the end, as Delve writes them
}

type draftSegment struct {
	start  uint64
	bytes  []byte
	memory uint64 // 0: as many as there are bytes
	flags  uint32
}

const (
	readable = mayRead
	writable = mayRead | mayWrite
)

// file is the core's bytes.
func (d draft) file() []byte {
	order := binary.LittleEndian
	out := make([]byte, elfHeaderBytes)
	copy(out, elfMagic+"\x02\x01\x01")
	order.PutUint16(out[16:], elfCore)
	order.PutUint16(out[54:], programBytes)
	order.PutUint16(out[58:], sectionBytes)
	count := len(d.segments) + 1
	order.PutUint16(out[56:], uint16(min(count, math.MaxUint16)))
	if d.extended {
		order.PutUint16(out[56:], extendedCount)
		order.PutUint64(out[40:], uint64(len(out)))
		order.PutUint16(out[60:], 1)
		first := make([]byte, sectionBytes)
		order.PutUint32(first[44:], uint32(count))
		out = append(out, first...)
	}
	if d.sections {
		order.PutUint64(out[40:], uint64(len(out)))
		order.PutUint16(out[60:], 3)
		out = append(out, make([]byte, 3*sectionBytes)...)
	}
	table := make([]byte, 0, count*programBytes)
	at := uint64(len(out))
	if !d.last {
		order.PutUint64(out[32:], at)
		at += uint64(count * programBytes)
	}
	var body []byte
	add := func(kind, flags uint32, start uint64, content []byte, memory uint64) {
		table = order.AppendUint32(order.AppendUint32(table, kind), flags)
		for _, word := range []uint64{at + uint64(len(body)), start, 0, uint64(len(content)), memory, 4096} {
			table = order.AppendUint64(table, word)
		}
		body = append(body, content...)
	}
	add(noteSegment, 0, 0, d.notes, 0)
	for _, s := range d.segments {
		memory := s.memory
		if memory == 0 {
			memory = uint64(len(s.bytes))
		}
		add(loadSegment, s.flags, s.start, s.bytes, memory)
	}
	if d.last {
		order.PutUint64(out[32:], at+uint64(len(body)))
		return append(append(out, body...), table...)
	}
	return append(append(out, table...), body...)
}

// note is an entry of the notes.
func note(owner string, kind uint32, text []byte) []byte {
	order := binary.LittleEndian
	pad := func(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
	b := order.AppendUint32(order.AppendUint32(order.AppendUint32(nil, uint32(len(owner))), uint32(len(text))), kind)
	return pad(append(pad(append(b, owner...)), text...))
}

func words(values ...uint64) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// filesNote is NT_FILE of mappings.
func filesNote(maps ...mapping) []byte {
	text := words(uint64(len(maps)), 4096)
	var paths []byte
	for _, m := range maps {
		text = append(text, words(m.start, m.end, m.offset/4096)...)
		paths = append(append(paths, m.path...), 0)
	}
	return note("CORE\x00", noteFiles, append(text, paths...))
}

// processNote is NT_PRPSINFO.
func processNote(pid int, name string) []byte {
	text := make([]byte, 136)
	binary.LittleEndian.PutUint32(text[24:], uint32(pid))
	copy(text[40:], name)
	return note("CORE\x00", noteProcess, text)
}

const (
	heapBase    = 0x7f0000100000
	heapReserve = 1 << 20
)

// draftHeap is the start of a heap's memory, whose header is believed, with noise behind it.
func draftHeap(base uint64, name string) []byte {
	id := layout.Identity{Magic: layout.Magic, Version: layout.Version, Base: base, Reserve: heapReserve, Backing: layout.BackingMemfd}
	copy(id.Name[:], name)
	id.Checksum = id.Sum()
	head := layout.Header{Identity: id, Twin: id}
	memory := make([]byte, layout.HeaderBytes)
	copy(memory, layout.Bytes(&head))
	return append(memory, noise(base, 64<<10)...)
}

func (d draft) write(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "core")
	require.NoError(t, os.WriteFile(path, d.file(), 0o600))
	return path
}

func openCore(t testing.TB, path string, heap string) Target {
	t.Helper()
	c, err := OpenPath(t.Context(), path, Options{Heap: heap})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func memfdOf(name string, start, bytes uint64) mapping {
	return mapping{start: start, end: start + bytes, path: memfdPrefix + name + deleted}
}

// kernelDraft is a core as the kernel writes one.
func kernelDraft(heap []byte) draft {
	return draft{
		segments: []draftSegment{
			{start: 0x400000, bytes: make([]byte, 4096), memory: 0x2000, flags: readable},
			{start: 0x7e0000000000, bytes: words(heapBase+0x5000, 1, 2), flags: writable},
			{start: heapBase, bytes: heap, flags: writable},
			{start: heapBase + uint64(len(heap)), memory: heapReserve - uint64(len(heap))},
		},
		notes: slices.Concat(processNote(4711, "a name of 15 byt"), note("CORE\x00", noteThread, words(0x7e0000000008, heapBase+0x7000)),
			note("CORE\x00", noteVector, words(9, 0x400100, 0, 0)),
			filesNote(mapping{start: 0x400000, end: 0x402000, path: "/usr/bin/cacheserver"}, memfdOf("sessions", heapBase, uint64(len(heap))))),
	}
}

// TestCores of every writer are the same heap.
func TestCores(t *testing.T) {
	heap := draftHeap(heapBase, "sessions")
	kernel := kernelDraft(heap)
	gcore := kernel
	gcore.sections, gcore.segments = true, slices.Clone(kernel.segments[:3])
	delve := draft{last: true, segments: slices.Clone(kernel.segments[1:3]), notes: slices.Concat(
		note("Delve Header", noteDelve, []byte("linux/amd64\nVersion\nTarget Pid: 4711\nEntry Point: 0x400100\n")),
		note("", noteProcess, processNote(4711, "cacheserver")[20:]))}
	many := kernel
	many.extended = true
	shuffled := kernel
	shuffled.segments = slices.Clone(kernel.segments)
	slices.Reverse(shuffled.segments)
	unnamed := kernel
	unnamed.notes = processNote(4711, "cacheserver")
	for name, d := range map[string]draft{"kernel": kernel, "gcore": gcore, "delve": delve, "many segments": many, "shuffled": shuffled, "without names": unnamed} {
		t.Run(name, func(t *testing.T) {
			path := d.write(t)
			c := openCore(t, path, "")
			require.EqualValues(t, heapBase, c.Base())
			require.EqualValues(t, heapReserve, c.Size())
			require.Equal(t, Description{Kind: KindCore, PID: 4711, Program: "cacheserver", Path: path, Heap: "sessions", Door: "core"}, c.Description())
			require.Equal(t, "core core of process 4711 (cacheserver)", c.Description().String())
			require.Empty(t, c.(Warner).Warning())
			require.Zero(t, OwnerOf(c))
			all := readWhole(t, c)
			require.Equal(t, heap, all[:len(heap)])
			require.Empty(t, bytes.Trim(all[len(heap):], "\x00"))
			require.Empty(t, c.(Partial).Missing(Extent{0, heapReserve}))
			require.Equal(t, []Extent{{0, int64(len(heap))}}, dataOf(c.(io.ReaderAt), []Extent{{0, heapReserve}}))
		})
	}
	require.NoError(t, context.Cause(t.Context()))
}

// TestCoreIsNoOtherFile: what can't be read as a core says why.
func TestCoreIsNoOtherFile(t *testing.T) {
	heap := draftHeap(heapBase, "sessions")
	change := func(at int, b byte) []byte {
		file := kernelDraft(heap).file()
		file[at] = b
		return file
	}
	ended := draft{}.file()
	for problem, file := range map[string][]byte{
		"it is a program (or a library), not the core of one": change(16, 2),
		"it is an ELF file of another kind of machine":        change(4, 1),
		"it ends within the first header":                     change(0, 0x7f)[:60],
		"its program headers have 57 bytes":                   change(54, 57),
		"it has no program headers: it is still being":        change(56, 0),
		"are missing: it was cut off at byte":                 change(36, 1),
		"holds no glassheap heap":                             ended,
	} {
		path := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(path, file, 0o600))
		_, err := OpenCore(t.Context(), path, Options{})
		require.ErrorContains(t, err, problem)
	}
	_, err := OpenCore(t.Context(), "no such file", Options{})
	require.ErrorAs(t, err, new(*NotFoundError))
}

// TestHeapsOfACore are chosen like those of a process.
func TestHeapsOfACore(t *testing.T) {
	const second, third = heapBase + 2*heapReserve, heapBase + 4*heapReserve
	d := draft{segments: []draftSegment{
		{start: third, bytes: draftHeap(third, "anonymous"), flags: writable},
		{start: heapBase, bytes: draftHeap(heapBase, "one two"), flags: writable},
		{start: second, bytes: draftHeap(second, "named"), flags: writable},
	}}
	d.notes = slices.Concat(processNote(12, "p"), filesNote(memfdOf("one two", heapBase, heapReserve), mapping{start: second, end: second + heapReserve, path: "/tmp/x.heap"}))
	path := d.write(t)
	for heap, base := range map[string]uint64{"one two": heapBase, "#1": heapBase, "named": second, "#3": third, "anonymous": third} {
		require.Equal(t, base, openCore(t, path, heap).Base(), heap)
	}
	_, err := OpenPath(t.Context(), path, Options{})
	require.EqualError(t, err, `core core of process 12 (p) has 3 heaps. Choose one by --heap NAME or --heap '#N':
    #1   one two    memfd, 128 KiB at 0x7f0000100000
    #2   named      file, 128 KiB at 0x7f0000300000
    #3   anonymous  anonymous, 128 KiB at 0x7f0000500000`)
	require.ErrorAs(t, err, new(*AmbiguousError))
	_, err = OpenPath(t.Context(), path, Options{Heap: "other"})
	require.ErrorContains(t, err, `core core of process 12 (p) has no heap "other". It has:`)
}

// TestNotDumped: the memory of a heap was left out, because coredump_filter said so.
func TestNotDumped(t *testing.T) {
	heap := draftHeap(heapBase, "sessions")
	d := kernelDraft(heap)
	d.segments[2].bytes, d.segments[2].memory = nil, uint64(len(heap))
	_, err := OpenPath(t.Context(), d.write(t), Options{})
	require.ErrorAs(t, err, new(*NotDumpedError))
	require.ErrorContains(t, err, `tells of heap "sessions" and does not hold its memory: shared memory was not dumped. echo 0x33`)

	// A heap in a named file is there still.
	file := filepath.Join(t.TempDir(), "x.heap")
	require.NoError(t, os.WriteFile(file, heap, 0o600))
	d.notes = slices.Concat(processNote(12, "p"), filesNote(mapping{start: heapBase, end: heapBase + heapReserve, path: file}))
	_, err = OpenPath(t.Context(), d.write(t), Options{})
	require.ErrorContains(t, err, "The heap's own file is there: glassheap check "+file)
	require.NoError(t, os.WriteFile(file, draftHeap(heapBase+heapReserve, "sessions"), 0o600))
	_, err = OpenPath(t.Context(), d.write(t), Options{})
	require.ErrorAs(t, err, new(*NoHeapError), "another heap has the path now")
}

// TestMissing is told from zeros.
func TestMissing(t *testing.T) {
	heap := draftHeap(heapBase, "sessions")
	dumped := layout.HeaderBytes + 0x2000
	d := kernelDraft(heap)
	d.segments[2].bytes, d.segments[2].memory = heap[:dumped], uint64(len(heap))
	c := openCore(t, d.write(t), "")
	left := Extent{int64(dumped), int64(len(heap)) - int64(dumped)}
	require.Equal(t, []Extent{left}, c.(Partial).Missing(Extent{0, math.MaxInt64}))
	require.Equal(t, []Extent{{left.Offset, 8}}, c.(Partial).Missing(Extent{left.Offset - 8, 16}))
	require.Empty(t, c.(Partial).Missing(Extent{left.end(), 100}), "what was never accessible")
	require.Empty(t, c.(Partial).Missing(Extent{-1, 100}))
	require.Empty(t, c.(Partial).Doubtful(Extent{0, math.MaxInt64}), "the kernel reads what can be read")
	require.Equal(t, heap[:dumped], readWhole(t, c)[:dumped])

	// gcore has no segment for what it left out: that a file was mapped tells.
	gcore := kernelDraft(heap)
	gcore.segments = gcore.segments[:3]
	gcore.notes = slices.Concat(processNote(4711, "p"), filesNote(memfdOf("sessions", heapBase, uint64(len(heap))+0x4000)))
	require.Equal(t, []Extent{{int64(len(heap)), 0x4000}}, openCore(t, gcore.write(t), "").(Partial).Missing(Extent{0, heapReserve}))

	// A snapshot of it remembers.
	path := filepath.Join(t.TempDir(), "x.snapshot")
	all := []Extent{{0, int64(len(heap))}}
	require.NoError(t, SaveSnapshot(t.Context(), path, c, all, InfoOf(c, all, takenThen), nil))
	s := openCore(t, path, "")
	require.Equal(t, []Extent{left}, s.(Partial).Missing(Extent{0, heapReserve}))
	require.Equal(t, []Extent{{left.Offset, 8}}, s.(Partial).Missing(Extent{left.Offset - 8, 16}))
}

// TestDoubtful: gcore leaves zeros from an unreadable page's chunk to the end of the segment, Delve to the end of the chunk.
func TestDoubtful(t *testing.T) {
	heap := append(draftHeap(heapBase, "sessions"), make([]byte, 4<<20)...)
	copy(heap[chunkOfWriters+3*delvePage:], "written")
	end := int64(len(heap))
	d := draft{segments: []draftSegment{{start: heapBase, bytes: heap, flags: writable}}, notes: filesNote(memfdOf("sessions", heapBase, uint64(end)))}
	everything := Extent{0, end}

	d.sections = true
	gcore := openCore(t, d.write(t), "").(*coreTarget)
	gcore.size = end
	require.Equal(t, []Extent{{2 * chunkOfWriters, end - 2*chunkOfWriters}}, gcore.Doubtful(everything))
	require.Equal(t, []Extent{{3 * chunkOfWriters, 10}}, gcore.Doubtful(Extent{3 * chunkOfWriters, 10}))

	d.sections, d.notes = false, slices.Concat(note("Delve Header", noteDelve, nil), d.notes)
	delve := openCore(t, d.write(t), "").(*coreTarget)
	delve.size = end
	first := int64(layout.HeaderBytes) + 64<<10
	require.Equal(t, []Extent{{first, chunkOfWriters - first}, {chunkOfWriters + 4*delvePage, end - chunkOfWriters - 4*delvePage}}, delve.Doubtful(everything))
}

// TestOverlappingSegments: the one that starts first has a byte, and where it was not dumped, the next one.
func TestOverlappingSegments(t *testing.T) {
	fill := func(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
	d := draft{segments: []draftSegment{
		{start: 0x3000, bytes: fill(3, 0x1000), flags: readable},
		{start: 0x1000, bytes: fill(1, 0x1000), memory: 0x4000, flags: readable},
		{start: 0x1800, bytes: fill(2, 0x1000), flags: readable},
		{start: 0x1200, bytes: fill(5, 0x100), flags: readable},
		{start: math.MaxUint64 - 0xfff, bytes: fill(4, 0x2000), flags: readable},
	}}
	file := d.file()
	c, problem := newCore("x", bytes.NewReader(file), int64(len(file)))
	require.Empty(t, problem)
	read := make([]byte, 0x5000)
	require.NoError(t, c.read(read, 0x800))
	want := slices.Concat(fill(0, 0x800), fill(1, 0x1000), fill(2, 0x800), fill(0, 0x800), fill(3, 0x1000), fill(0, 0x1800))
	require.Equal(t, want, read)
	require.Equal(t, []addresses{{0x2800, 0x3000}, {0x4000, 0x5000}}, c.missing[:2])
	require.True(t, c.holds(0x1000, 0x1800))
	require.False(t, c.holds(0x1000, 0x1801))
	require.NoError(t, c.read(read[:0x100], math.MaxUint64-0xfff))
	require.Equal(t, fill(4, 0x100), read[:0x100])
}

// TestRootsOfACore: what the program could write to, and its registers.
func TestRootsOfACore(t *testing.T) {
	heap := draftHeap(heapBase, "sessions")
	d := kernelDraft(heap)
	d.segments = append(d.segments,
		draftSegment{start: 0x7e0000100000, memory: 0x3000, flags: writable},                  // left out
		draftSegment{start: 0x7e0000200003, bytes: words(5, 6), flags: writable},              // words have their addresses
		draftSegment{start: 0x7e0000300000, bytes: words(heapBase + 0x9000), flags: readable}) // constants
	d.notes = append(d.notes, note("", noteDelveThread, slices.Concat(words(1, 2, 3, 4, heapBase+0xa000), make([]byte, 9), []byte{1, 0, 0, 0, 3, 0}, []byte("Rax"), []byte{8, 0}, words(heapBase+0xb000)))...)
	c := openCore(t, d.write(t), "").(Rooted)
	var found []uint64
	total, err := c.Roots(t.Context(), func(piece []byte) {
		for ; len(piece) >= 8; piece = piece[8:] {
			found = append(found, binary.LittleEndian.Uint64(piece))
		}
	})
	require.NoError(t, err)
	require.EqualValues(t, 8*len(found), total)
	for _, offset := range []uint64{0x5000, 0x7000, 0xa000, 0xb000} {
		require.Contains(t, found, heapBase+offset)
	}
	require.NotContains(t, found, uint64(heapBase+0x9000))

	d.notes = note("CORE\x00", noteThread, words(heapBase+0x7000, 0x7e0000100000)) // a stack that was left out
	_, err = openCore(t, d.write(t), "").(Rooted).Roots(t.Context(), func([]byte) { t.Error("nothing is searched") })
	require.ErrorAs(t, err, new(*NoRootsError))
	require.EqualValues(t, 0x3000, c.MissingRoots())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Roots(cancelled, func([]byte) {})
	require.ErrorIs(t, err, context.Canceled)
}

// TestTruncatedCore at many lengths: what is there is answered, what is missing is said.
func TestTruncatedCore(t *testing.T) {
	heap := draftHeap(heapBase, "sessions")
	for _, last := range []bool{false, true} {
		d := kernelDraft(heap)
		d.last = last
		file := d.file()
		path := filepath.Join(t.TempDir(), "core")
		opened := 0
		for length := 0; length < len(file); length += 997 {
			require.NoError(t, os.WriteFile(path, file[:length], 0o600))
			c, err := OpenCore(t.Context(), path, Options{})
			if err != nil {
				require.NotErrorAs(t, err, new(*DamagedError))
				continue
			}
			opened++
			require.Contains(t, c.(Warner).Warning(), fmt.Sprintf("is not whole: it was cut off at byte %d", length))
			all := readWhole(t, c)
			missing := c.(Partial).Missing(Extent{0, heapReserve})
			require.Len(t, missing, 1)
			there := missing[0].Offset
			require.Equal(t, heap[:there], all[:there])
			require.Equal(t, int64(len(heap)), missing[0].end())
			require.NoError(t, c.Close())
		}
		require.Equal(t, !last, opened > 50, "opened %d", opened)
	}
}

func gzipped(t testing.TB, plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zstandard(t testing.TB, plain []byte) []byte {
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return w.EncodeAll(plain, nil)
}

// TestCompressedCore is unpacked by its content, whatever its name, and leaves nothing behind.
func TestCompressedCore(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	heap := draftHeap(heapBase, "sessions")
	d := kernelDraft(heap)
	d.segments = append(d.segments, draftSegment{start: 0x7d0000000000, bytes: make([]byte, 8<<20), flags: writable})
	plain := d.file()
	path := filepath.Join(t.TempDir(), "core")
	for name, pack := range map[string]func(testing.TB, []byte) []byte{"gzip": gzipped, "zstd": zstandard} {
		t.Run(name, func(t *testing.T) {
			packed := pack(t, plain)
			require.NoError(t, os.WriteFile(path, packed, 0o600))
			var done, total int64
			c, err := OpenPath(t.Context(), path, Options{Unpacking: func(d, all int64) { done, total = d, all }})
			require.NoError(t, err)
			require.Equal(t, heap, readWhole(t, c)[:len(heap)])
			require.Empty(t, c.(Warner).Warning())
			require.EqualValues(t, len(packed), total)
			require.Positive(t, done)
			require.NoError(t, c.Close())

			// Its end is missing, or a byte is wrong: what is before it can be read.
			require.NoError(t, os.WriteFile(path, packed[:len(packed)-20], 0o600))
			c, err = OpenPath(t.Context(), path, Options{})
			require.NoError(t, err)
			require.Contains(t, c.(Warner).Warning(), "it can't be unpacked beyond byte ")
			require.NoError(t, c.Close())

			require.NoError(t, os.WriteFile(path, pack(t, []byte(strings.Repeat("no core ", 1000))), 0o600))
			_, err = OpenPath(t.Context(), path, Options{})
			require.ErrorContains(t, err, "it is compressed by "+name+", and no core is inside")
			require.NoError(t, os.WriteFile(path, pack(t, nil)[:4], 0o600))
			_, err = OpenPath(t.Context(), path, Options{})
			require.ErrorAs(t, err, new(*FormatError))

			require.NoError(t, os.WriteFile(path, packed, 0o600))
			stopped, cancel := context.WithCancel(t.Context())
			_, err = OpenPath(stopped, path, Options{Unpacking: func(int64, int64) { cancel() }})
			require.ErrorIs(t, err, context.Canceled)
		})
	}
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	require.Empty(t, left, "unpacked files")
}

// TestUnpackingIsBounded: a file of a few KiB can become any number of zeros.
func TestUnpackingIsBounded(t *testing.T) {
	d := kernelDraft(draftHeap(heapBase, "sessions"))
	d.segments = append(d.segments, draftSegment{start: 0x7d0000000000, bytes: make([]byte, 64<<20), flags: writable})
	bomb := zstandard(t, d.file())
	require.Less(t, len(bomb), 200<<10)
	path := filepath.Join(t.TempDir(), "bomb")
	require.NoError(t, os.WriteFile(path, bomb, 0o600))
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	_, _, err = unpack(t.Context(), path, file, bomb, 16<<20, nil)
	require.ErrorContains(t, err, "holds more than 16 MiB: unpack it by unzstd")
	plain, cut, err := unpack(t.Context(), path, file, bomb, mostUnpacked, nil)
	require.NoError(t, err)
	require.Empty(t, cut)
	defer plain.Close()
	require.Greater(t, plain.size, int64(64<<20))
	extents := dataOf(memoryFile{file: plain.File}, []Extent{{0, plain.size}})
	var stored int64
	for _, e := range extents {
		stored += e.Bytes
	}
	if _, ok := any(memoryFile{}).(sparse); ok {
		require.Less(t, stored, int64(4<<20), "zeros take no room")
	}
	u := &unpacked{File: plain.File, unchecked: mostUnchecked, free: freeBytes}
	if free, known := freeBytes(plain.File); known && free > leftFree+mostUnchecked {
		require.NoError(t, u.makeSure())
	}
}

// TestUnpackingLeavesRoom: on a disk that fills, unpacking ends while there is room left, and says how much it wants.
func TestUnpackingLeavesRoom(t *testing.T) {
	u, err := createUnpacked()
	require.NoError(t, err)
	defer u.Close()
	const disk = leftFree + 2*mostUnchecked + 10<<20
	u.free = func(*os.File) (uint64, bool) { return disk - uint64(u.written), true }
	data := bytes.Repeat([]byte{1}, unpackStep)
	for range disk / unpackStep {
		if err = u.append(data); err != nil {
			break
		}
	}
	require.EqualError(t, err, "128 MiB are written, more is to come and needs 320 MiB free, 256 MiB of them to be left for others; 266 MiB are free there")
	require.GreaterOrEqual(t, disk-u.written, int64(leftFree))
	require.NoError(t, u.append(make([]byte, unpackStep)), "zeros need none")
}

// TestExecutableOfACore.
func TestExecutableOfACore(t *testing.T) {
	path := kernelDraft(draftHeap(heapBase, "sessions")).write(t)
	program, ok := ProgramOfCore(path)
	require.True(t, ok)
	require.Equal(t, "/usr/bin/cacheserver", program)
	c := openCore(t, path, "")
	require.Equal(t, "/usr/bin/cacheserver", ExecutableOf(c))
	_, err := OriginOf(c)
	require.ErrorIs(t, err, ErrNoOrigin, "the program's first page is zeros here")
	_, ok = ProgramOfCore(os.Args[0])
	require.False(t, ok)
	require.Empty(t, ExecutableOf(FromBytes(nil)))
}

// TestDeathInACore: the signal, and the address of a fault that the kernel told.
func TestDeathInACore(t *testing.T) {
	signal := func(number, code uint32, address uint64) []byte {
		text := make([]byte, 128)
		binary.LittleEndian.PutUint32(text, number)
		binary.LittleEndian.PutUint32(text[8:], code)
		binary.LittleEndian.PutUint64(text[16:], address)
		return note("CORE\x00", noteSignal, text)
	}
	for _, c := range []struct {
		note []byte
		want CoreDeath
	}{
		{signal(11, 1, heapBase+5), CoreDeath{Signal: 11, Fault: heapBase + 5}},
		{signal(6, 1<<32-6, 4711<<32), CoreDeath{Signal: 6}},
		{signal(11, 0, 4711), CoreDeath{Signal: 11}}, // sent by a person
		{nil, CoreDeath{}},
	} {
		d := kernelDraft(draftHeap(heapBase, "sessions"))
		d.notes = append(d.notes, c.note...)
		heaps, death, closeCore, err := OpenCoreHeaps(t.Context(), d.write(t), Options{})
		require.NoError(t, err)
		c.want.PID, c.want.Program = 4711, "cacheserver"
		require.Equal(t, c.want, death)
		require.Len(t, heaps, 1)
		require.NoError(t, heaps[0].Problem)
		require.EqualValues(t, heapBase, heaps[0].Target.Base())
		require.NoError(t, closeCore())
	}
	_, _, _, err := OpenCoreHeaps(t.Context(), os.Args[0], Options{})
	require.ErrorAs(t, err, new(*FormatError))
}

// TestNotesOfCoresAreNotTrusted.
func TestNotesOfCoresAreNotTrusted(t *testing.T) {
	maps := []mapping{{start: 0x2000, end: 0x3000, offset: 0x1000, path: "/bin/b"}, {start: 0x1000, end: 0x2000, path: "/bin/a"}}
	d := draft{notes: slices.Concat(filesNote(maps...), note("CORE\x00", noteVector, words(9, 0x2800)), processNote(1<<31, "x\x1b[31m"))}
	read := func(notes []byte) coreNotes {
		return readCoreNotes(bytes.NewReader(notes), []Extent{{0, int64(len(notes))}})
	}
	whole := read(d.notes)
	require.Equal(t, "/bin/b", whole.executable())
	require.Equal(t, "b", whole.program())
	require.Zero(t, whole.pid)
	require.Equal(t, []uint64{0x1000, 0x2000}, []uint64{whole.files[0].start, whole.files[1].start})
	for n := range d.notes {
		require.NotPanics(t, func() { read(d.notes[:n]) })
	}
	for _, lie := range [][]byte{
		note("CORE\x00", noteFiles, words(1<<61, 4096, 1, 2, 3)),
		note("CORE\x00", noteFiles, append(words(2, 1<<63, 0x1000, 0x2000, 1<<62, 5, 4, 0), "/a\x00/b\x00"...)),
		note("CORE\x00", noteProcess, []byte{1, 2, 3}),
		note("", noteDelveThread, append(make([]byte, 49), 0xff, 0xff, 0xff, 0xff)),
		note("", noteDelveThread, append(make([]byte, 49), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)),
	} {
		c := read(lie)
		require.Empty(t, c.files)
		require.Empty(t, c.program())
	}
}

// FuzzCore opens what somebody calls a core, and asks all that can be asked: there is an answer or an error, soon.
func FuzzCore(f *testing.F) {
	heap := draftHeap(heapBase, "sessions")
	d := kernelDraft(heap)
	f.Add(d.file(), uint64(heapBase))
	f.Add(d.file()[:5000], uint64(0))
	d.extended = true
	f.Add(d.file(), uint64(math.MaxUint64))
	d.sections, d.last, d.extended = true, true, false
	f.Add(d.file(), uint64(1))
	d.notes = note("Delve Header", noteDelve, []byte("Target Pid: 4711\n"))
	f.Add(d.file(), uint64(heapBase))
	f.Add(zstandard(f, d.file()), uint64(heapBase))
	f.Add(gzipped(f, d.file()), uint64(heapBase))
	for _, huge := range []int{24, 32, 40, 48} {
		file := kernelDraft(heap).file()
		for i := range 4 {
			binary.LittleEndian.PutUint64(file[elfHeaderBytes+i*programBytes+huge-16:], math.MaxUint64-uint64(i)*4096)
		}
		f.Add(file, uint64(heapBase))
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte, address uint64) {
		started := time.Now()
		defer func() {
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("the answers took %s", took)
			}
		}()
		path := filepath.Join(folder, "core")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		start, err := startOf(file)
		if err != nil {
			t.Fatal(err)
		}
		if packingOf(start) != nil {
			plain, _, err := unpack(t.Context(), path, file, start, 64<<20, nil)
			if err != nil {
				return
			}
			defer plain.Close()
			file = plain.File
		}
		c, err := readCore(path, file)
		if err != nil {
			return
		}
		p := make([]byte, 100_000)
		if err := c.read(p, address); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		c.holds(address, 1<<20)
		heaps := c.heaps()
		for _, h := range heaps[:min(len(heaps), 4)] {
			opened, err := c.open(Options{Heap: h.Name})
			if err != nil {
				continue
			}
			h := opened.(*coreTarget)
			for _, at := range []int64{0, int64(address - h.base), h.size - 1, -1} {
				n, err := h.ReadAt(p, at)
				if n < 0 || n > len(p) || n < len(p) && err == nil {
					t.Fatalf("read %d of %d bytes at %d: %v", n, len(p), at, err)
				}
			}
			for _, e := range []Extent{{0, h.size}, {int64(address), 1 << 20}} {
				for _, parts := range [][]Extent{h.Missing(e), h.Doubtful(e)} {
					for _, part := range parts {
						if part.Bytes <= 0 || part.Offset < 0 || part.end() > h.size {
							t.Fatalf("%v of a heap of %d bytes", part, h.size)
						}
					}
				}
			}
			if _, err := h.Roots(t.Context(), func([]byte) {}); err != nil && !errors.As(err, new(*NoRootsError)) {
				t.Fatal(err)
			}
			_, _, _ = h.MissingRoots(), h.Warning(), h.Description().String()
		}
	})
}
