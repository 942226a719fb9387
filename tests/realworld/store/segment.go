package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sort"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator"
)

// segment is a file that does not change any more: the records of some memtables that follow each other, in the order of their keys.
// It begins with the records, in blocks of some KiB. Behind them stand the index, which is kept off-heap while the segment is open, and
// the trailer.
type segment struct {
	path      string
	file      io.ReaderAt
	heap      *allocator.Heap
	low, high uint64 // the numbers of the memtables
	trailer   trailer
	places    []place // off-heap
	keys      []byte  // the first ones of the blocks
	filter    filter
	refs      atomic.Int32
}

// place is where a block lies in the file, and where its first key lies in the segment's keys.
type place struct {
	At              uint64
	Bytes           uint32
	KeyAt, KeyBytes uint32
}

// trailer ends the file. The index before it is places, keys, and the filter's bits.
type trailer struct {
	RecordBytes, Records, Places, KeyBytes uint64
	IndexSum                               uint32
	Sum                                    uint32 // of what stands before it
	Magic                                  [8]byte
}

var (
	magic        = [8]byte([]byte("segment1"))
	placeBytes   = uint64(binary.Size(place{}))
	trailerBytes = int64(binary.Size(trailer{}))

	errTrailer = errors.New("this is no trailer of a segment")
	errIndex   = errors.New("the index is damaged")
)

func (t trailer) sum() uint32 {
	t.Sum = 0
	b, _ := binary.Append(nil, binary.LittleEndian, t) // of a fixed size
	return crc32.Checksum(b, castagnoli)
}

func (t trailer) filterBytes() uint64 { return (filterPlaces(int(t.Records)) + 7) / 8 }

func (t trailer) indexBytes() uint64 { return t.Places*placeBytes + t.KeyBytes + t.filterBytes() }

// sound reports whether a file of this size can have it.
func (t trailer) sound(size int64) bool {
	for _, n := range []uint64{t.RecordBytes, t.Records, t.Places, t.KeyBytes} {
		if n > uint64(size) {
			return false
		}
	}
	return t.Magic == magic && t.Sum == t.sum() && t.RecordBytes+t.indexBytes()+uint64(trailerBytes) == uint64(size)
}

// openSegment opens a segment's file, and reads the index.
func openSegment(heap *allocator.Heap, path string, low, high uint64) (*segment, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s := &segment{path: path, file: file, heap: heap, low: low, high: high}
	if err := s.load(info.Size()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// load reads trailer and index of a file of this size. What it has allocated when it fails is close's to free.
func (s *segment) load(size int64) error {
	at := size - trailerBytes
	if at < 0 {
		return &damage{s.path, 0, errTrailer}
	}
	if err := binary.Read(io.NewSectionReader(s.file, at, trailerBytes), binary.LittleEndian, &s.trailer); err != nil {
		return err
	}
	t := s.trailer
	if !t.sound(size) {
		return &damage{s.path, at, errTrailer}
	}
	at = int64(t.RecordBytes)
	sum := crc32.New(castagnoli)
	in := io.TeeReader(io.NewSectionReader(s.file, at, int64(t.indexBytes())), sum)
	var err error
	if s.places, err = allocator.Make[place](s.heap, int(t.Places)); err != nil {
		return err
	}
	if err := binary.Read(in, binary.LittleEndian, s.places); err != nil {
		return err
	}
	if s.keys, err = s.read(in, t.KeyBytes); err != nil {
		return err
	}
	s.filter.places = filterPlaces(int(t.Records))
	if s.filter.bits, err = s.read(in, t.filterBytes()); err != nil {
		return err
	}
	if sum.Sum32() != t.IndexSum || !s.placesFit() {
		return &damage{s.path, at, errIndex}
	}
	return nil
}

// read reads the next n bytes into a block.
func (s *segment) read(in io.Reader, n uint64) ([]byte, error) {
	b, err := s.heap.Alloc(int(n))
	if err == nil {
		if _, err = io.ReadFull(in, b); err != nil {
			err = errors.Join(err, s.heap.Free(b))
		}
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// placesFit reports whether the blocks are all of the records, and their first keys are in order.
func (s *segment) placesFit() bool {
	var at, keyAt uint64
	for i, p := range s.places {
		if p.At != at || p.Bytes == 0 || uint64(p.KeyAt) != keyAt {
			return false
		}
		at += uint64(p.Bytes)
		keyAt += uint64(p.KeyBytes)
		if keyAt > uint64(len(s.keys)) || i > 0 && bytes.Compare(s.first(i-1), s.first(i)) >= 0 {
			return false
		}
	}
	return at == s.trailer.RecordBytes && keyAt == uint64(len(s.keys))
}

// first is the first key of a block.
func (s *segment) first(i int) []byte {
	p := s.places[i]
	return s.keys[p.KeyAt:][:p.KeyBytes]
}

// block is the number of the block that a key is in if the segment has it; -1: it stands before all.
func (s *segment) block(key []byte) int {
	return sort.Search(len(s.places), func(i int) bool { return bytes.Compare(s.first(i), key) > 0 }) - 1
}

// get finds the record of a key, which has to be freed.
func (s *segment) get(key []byte) (found, bool, error) {
	if !s.filter.mayHave(key) {
		return found{}, false, nil
	}
	c := &segmentCursor{segment: s, from: key, at: max(s.block(key), 0)}
	ok, err := c.next()
	if err != nil || !ok || !bytes.Equal(c.record().key, key) {
		return found{}, false, errors.Join(err, c.close())
	}
	return found{record: c.record(), heap: s.heap, block: c.block}, true, nil
}

// cursor walks over the records from a key on.
func (s *segment) cursor(from []byte) cursor {
	return &segmentCursor{segment: s, from: from, at: max(s.block(from), 0)}
}

// segmentCursor has a block of the file at a time off-heap.
type segmentCursor struct {
	segment *segment
	from    []byte // the records before this key are passed over
	at      int    // the number of the next block
	block   []byte
	rest    []byte // what of the block is to come
	current record
}

func (c *segmentCursor) next() (bool, error) {
	for {
		if len(c.rest) == 0 {
			if err := c.close(); err != nil || c.at == len(c.segment.places) {
				return false, err
			}
			p := c.segment.places[c.at]
			block, err := c.segment.read(io.NewSectionReader(c.segment.file, int64(p.At), int64(p.Bytes)), uint64(p.Bytes))
			if err != nil {
				return false, err
			}
			c.block, c.rest, c.at = block, block, c.at+1
		}
		r, err := decode(c.rest)
		if err != nil {
			p := c.segment.places[c.at-1]
			return false, &damage{c.segment.path, int64(p.At) + int64(len(c.block)-len(c.rest)), err}
		}
		c.current, c.rest = r, c.rest[r.bytes():]
		if bytes.Compare(r.key, c.from) >= 0 {
			return true, nil
		}
	}
}

func (c *segmentCursor) record() record { return c.current }

// close frees the block that was read last.
func (c *segmentCursor) close() error {
	block := c.block
	c.block, c.rest = nil, nil
	return c.segment.heap.Free(block)
}

// close frees what the segment has off-heap.
func (s *segment) close() error {
	err := errors.Join(
		allocator.FreeSlice(s.heap, s.places),
		s.heap.Free(s.keys),
		s.heap.Free(s.filter.bits),
	)
	if file, ok := s.file.(io.Closer); ok {
		err = errors.Join(err, file.Close())
	}
	return err
}

func (s *segment) release() error {
	if s.refs.Add(-1) > 0 {
		return nil
	}
	return s.close()
}

// segmentName is a segment's name in the directory.
func segmentName(low, high uint64) string { return fmt.Sprintf("%012d-%012d.segment", low, high) }
