package target

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// OpenSnapshot opens a snapshot. What makes the whole of it useless is found now: a lost end (*TruncatedError), a newer
// version (*VersionError), a damaged header or index (*DamagedError). A damaged chunk is found when it is read: ReadAt then
// returns a *DamagedError with its range, and the rest can still be read.
func OpenSnapshot(path string) (Target, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	return newSnapshotOf(path, file)
}

// newSnapshotOf takes over an open file.
func newSnapshotOf(path string, file *os.File) (Target, error) {
	info, err := file.Stat()
	if err == nil {
		var s *snapshot
		if s, err = newSnapshot(path, file, info.Size()); err == nil {
			s.closer = file
			return s, nil
		}
	}
	file.Close()
	return nil, err
}

// snapshot is an open snapshot.
type snapshot struct {
	path   string
	file   io.ReaderAt
	closer io.Closer // of the file; nil: there is nothing to close
	info   SnapshotInfo

	missing, doubtful []Extent // of the core that it is of

	chunks  []chunk // sorted by offset, at most one in a window
	decoder *zstd.Decoder
	cache   chunkCache
}

func newSnapshot(path string, file io.ReaderAt, fileBytes int64) (*snapshot, error) {
	s := &snapshot{path: path, file: file}
	chunksFrom, err := s.readStart(fileBytes)
	if err != nil {
		return nil, err
	}
	if err := s.readIndex(chunksFrom, fileBytes); err != nil {
		return nil, err
	}
	// A frame can't make the decoder take more memory than a window needs, whatever it claims, nor decode to elsewhere than it is told.
	s.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(windowBytes), zstd.WithDecoderMaxWindow(windowBytes),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	s.cache.decode = s.decode
	return s, nil
}

func (s *snapshot) damaged(format string, arguments ...any) error {
	return &DamagedError{Path: s.path, Reason: fmt.Sprintf(format, arguments...)}
}

// readStart reads the header and the info. It returns where the chunks begin.
func (s *snapshot) readStart(fileBytes int64) (chunksFrom int64, err error) {
	header := make([]byte, snapshotHeaderBytes)
	n, err := s.file.ReadAt(header, 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	if string(header[:len(snapshotMagic)]) != snapshotMagic {
		return 0, &FormatError{Path: s.path, Found: fmt.Sprintf("it starts with % x", header[:min(n, 8)])}
	}
	if n < len(header) {
		return 0, &TruncatedError{Path: s.path, Bytes: fileBytes}
	}
	version, infoBytes := binary.LittleEndian.Uint32(header[8:]), int64(binary.LittleEndian.Uint32(header[12:]))
	switch {
	case version > snapshotVersion:
		// Only the magic and the version are the same in every version.
		return 0, &VersionError{Path: s.path, Found: version, Known: snapshotVersion}
	case binary.LittleEndian.Uint32(header[snapshotHeaderBytes-4:]) != checksum(header[:snapshotHeaderBytes-4]):
		return 0, s.damaged("the header's checksum is wrong")
	case version == 0 || binary.LittleEndian.Uint32(header[16:]) != windowBytes:
		return 0, s.damaged("the header says version %d, windows of %d bytes", version, binary.LittleEndian.Uint32(header[16:]))
	case infoBytes > mostInfoBytes:
		return 0, s.damaged("the info has %d bytes, more than %d", infoBytes, mostInfoBytes)
	case fileBytes < snapshotHeaderBytes+infoBytes+snapshotFooterBytes:
		return 0, &TruncatedError{Path: s.path, Bytes: fileBytes}
	}
	info := make([]byte, infoBytes)
	if err := s.readFile(info, snapshotHeaderBytes); err != nil {
		return 0, err
	}
	if checksum(info) != binary.LittleEndian.Uint32(header[20:]) {
		return 0, s.damaged("the info's checksum is wrong")
	}
	if err := json.Unmarshal(info, &s.info); err != nil {
		return 0, s.damaged("the info is not readable: %v", err)
	}
	if version == 1 {
		s.info.Metadata = false
	}
	if i := s.info; i.Size < 0 || i.Size > mostHeapBytes || i.Base+uint64(i.Size) < i.Base {
		return 0, s.damaged("the info tells of a heap of %d bytes at %#x", i.Size, i.Base)
	}
	if s.missing, err = recalled(s.info.Missing); err == nil {
		s.doubtful, err = recalled(s.info.Doubtful)
	}
	if err != nil {
		return 0, s.damaged("the info tells of missing memory: %v", err)
	}
	return snapshotHeaderBytes + infoBytes, nil
}

// readFile reads a part of the file that must be there.
func (s *snapshot) readFile(p []byte, place int64) error {
	n, err := s.file.ReadAt(p, place)
	switch {
	case n == len(p):
		return nil
	case err == io.EOF:
		return &TruncatedError{Path: s.path, Bytes: place + int64(n)}
	}
	return err
}

// readIndex reads the footer and the index.
func (s *snapshot) readIndex(chunksFrom, fileBytes int64) error {
	end := make([]byte, snapshotFooterBytes)
	if err := s.readFile(end, fileBytes-snapshotFooterBytes); err != nil {
		return err
	}
	if string(end[snapshotFooterBytes-len(snapshotEnd):]) != snapshotEnd {
		return &TruncatedError{Path: s.path, Bytes: fileBytes}
	}
	f, ok := parseFooter(end)
	switch {
	case !ok:
		return s.damaged("the footer's checksum is wrong")
	case f.fileBytes != fileBytes:
		return s.damaged("it was written with %d bytes and has %d", f.fileBytes, fileBytes)
	case f.chunks < 0 || f.chunks > mostChunks || f.index < chunksFrom || f.index+f.chunks*snapshotEntryBytes != fileBytes-snapshotFooterBytes:
		return s.damaged("the footer tells of %d chunks, with an index at %d", f.chunks, f.index)
	}
	sum := crc32.New(castagnoli)
	entries := bufio.NewReaderSize(io.TeeReader(io.NewSectionReader(s.file, f.index, f.chunks*snapshotEntryBytes), sum), 64<<10)
	next := expected{place: chunksFrom, window: -1}
	var entry [snapshotEntryBytes]byte
	for i := range f.chunks {
		if _, err := io.ReadFull(entries, entry[:]); err != nil {
			return err
		}
		c := parseChunk(entry[:])
		if reason := next.judge(c, s.info.Size, f.index); reason != "" {
			return s.damaged("chunk %d of the index %s", i, reason)
		}
		s.chunks = append(s.chunks, c)
	}
	switch {
	case sum.Sum32() != f.sum:
		return s.damaged("the index's checksum is wrong")
	case next.place != f.index:
		return s.damaged("%d bytes of the file belong to no chunk", f.index-next.place)
	}
	return nil
}

// expected is where the next chunk of an index must lie: behind its predecessor in the file, and in a later window.
type expected struct {
	place  int64
	window int64 // of the predecessor
}

// judge takes the next chunk, and says what is wrong with it. The chunks must end where chunksEnd is.
func (e *expected) judge(c chunk, heapBytes, chunksEnd int64) (reason string) {
	window := c.offset / windowBytes
	switch {
	case c.offset < 0 || c.offset >= heapBytes, c.bytes == 0, c.offset%windowBytes+int64(c.bytes) > windowBytes:
		return fmt.Sprintf("claims %d bytes at %#x of a heap of %d bytes", c.bytes, c.offset, heapBytes)
	case window <= e.window:
		return fmt.Sprintf("is out of order: MiB %d of the heap after MiB %d", window, e.window)
	case c.place != e.place || c.packed == 0 || c.packed > mostPackedBytes || int64(c.packed) > chunksEnd-e.place:
		return fmt.Sprintf("claims %d bytes at %d of the file, and must lie at %d", c.packed, c.place, e.place)
	}
	e.place, e.window = e.place+int64(c.packed), window
	return ""
}

// decode reads a chunk from the file.
func (s *snapshot) decode(i int) ([]byte, error) {
	plain := make([]byte, s.chunks[i].bytes)
	if err := s.decodeInto(plain, i); err != nil {
		return nil, err
	}
	return plain, nil
}

// frames are buffers for packed chunks.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// decodeInto reads a chunk from the file to where it is wanted, which is as long as it is. After an error anything may be there.
func (s *snapshot) decodeInto(to []byte, i int) error {
	c := s.chunks[i]
	damage := &DamagedError{Path: s.path, Offset: c.offset, Bytes: int64(c.bytes)}
	buffer := frames.Get().(*[]byte)
	defer frames.Put(buffer)
	*buffer = slices.Grow((*buffer)[:0], int(c.packed))
	frame := (*buffer)[:c.packed]
	if _, err := s.file.ReadAt(frame, c.place); err != nil {
		if errors.Is(err, os.ErrClosed) {
			return err
		}
		damage.Reason = err.Error()
		return damage
	}
	plain, err := s.decoder.DecodeAll(frame, to[:0:len(to)])
	switch {
	case err != nil:
		damage.Reason = err.Error()
	case len(plain) != int(c.bytes):
		damage.Reason = fmt.Sprintf("%d bytes were decoded instead of %d", len(plain), c.bytes)
	case checksum(plain) != c.sum:
		damage.Reason = "the checksum is wrong"
	default:
		return nil
	}
	return damage
}

func (s *snapshot) ReadAt(p []byte, offset int64) (int, error) {
	switch {
	case offset < 0:
		return 0, errNegativeOffset
	case len(p) == 0:
		return 0, nil
	case offset >= s.info.Size:
		return 0, io.EOF
	}
	n := 0
	end := offset + min(int64(len(p)), s.info.Size-offset)
	for i := s.chunkAt(offset); offset < end; i++ {
		hole := end
		if i < len(s.chunks) {
			hole = max(offset, min(s.chunks[i].offset, end))
		}
		clear(p[n : n+int(hole-offset)])
		n, offset = n+int(hole-offset), hole
		if offset == end {
			break
		}
		if c := s.chunks[i]; c.offset == offset && c.end() <= end {
			// All of it is asked for, so nobody will ask for the rest.
			if err := s.decodeInto(p[n:n+int(c.bytes)], i); err != nil {
				return n, err
			}
			n, offset = n+int(c.bytes), c.end()
			continue
		}
		plain, err := s.cache.get(i)
		if err != nil {
			return n, err
		}
		copied := copy(p[n:n+int(end-offset)], plain[offset-s.chunks[i].offset:])
		n, offset = n+copied, offset+int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// chunkAt is the index of the first chunk that ends behind an offset.
func (s *snapshot) chunkAt(offset int64) int {
	i, _ := slices.BinarySearchFunc(s.chunks, offset, func(c chunk, offset int64) int {
		if c.end() <= offset {
			return -1
		}
		return 1
	})
	return i
}

// data lists what has a chunk.
func (s *snapshot) data(within Extent) ([]Extent, error) {
	var parts []Extent
	for _, c := range s.chunks[s.chunkAt(within.Offset):] {
		if c.offset >= within.end() {
			break
		}
		start, end := max(c.offset, within.Offset), min(c.end(), within.end())
		parts = append(parts, Extent{start, end - start})
	}
	return parts, nil
}

// Missing lists what the core lacked that it is a snapshot of: see Partial.
func (s *snapshot) Missing(within Extent) []Extent { return overlaps(s.missing, within) }

// Doubtful is what the core was not certain of.
func (s *snapshot) Doubtful(within Extent) []Extent { return overlaps(s.doubtful, within) }

func (s *snapshot) Base() uint64 { return s.info.Base }
func (s *snapshot) Size() int64  { return s.info.Size }

func (s *snapshot) Description() Description {
	return Description{
		Kind: KindSnapshot, PID: max(s.info.PID, 0), Program: printable(s.info.Program), Path: s.path, Heap: printable(s.info.Heap),
		Door: doorSnapshot, Taken: s.info.Taken, Metadata: s.info.Metadata,
	}
}

func (s *snapshot) Close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}
