package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/offheap"
)

// blockBytes is how large a block of a segment is at least, but for the last one.
const blockBytes = 4 << 10

// segmentWriter writes a segment's file, and makes the index meanwhile.
type segmentWriter struct {
	heap    *allocator.Heap
	out     *bufio.Writer
	trailer trailer
	places  *offheap.Vec[place]
	keys    *offheap.Buffer
	hashes  *offheap.Vec[uint64]
}

// writeSegment writes what a cursor walks over into a file, and closes the cursor. Marks of deletion are left out where no older
// segment can have what was deleted.
func writeSegment(heap *allocator.Heap, path string, c cursor, oldest bool) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return errors.Join(err, c.close())
	}
	w := &segmentWriter{heap: heap, out: bufio.NewWriterSize(file, 64<<10), keys: offheap.NewBuffer(heap), trailer: trailer{Magic: magic}}
	w.places, _ = offheap.NewVec[place](heap, 0) // which takes no memory yet, and no Go pointer
	w.hashes, _ = offheap.NewVec[uint64](heap, 0)
	defer func() {
		err = errors.Join(err, c.close(), w.places.Free(), w.keys.Free(), w.hashes.Free(), file.Close())
	}()
	for {
		ok, err := c.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if r := c.record(); !r.deleted || !oldest {
			if err := w.add(r); err != nil {
				return err
			}
		}
	}
	if err := w.finish(); err != nil {
		return err
	}
	return file.Sync()
}

func (w *segmentWriter) add(r record) error {
	t := &w.trailer
	if n := w.places.Len(); n == 0 || t.RecordBytes-w.places.Slice()[n-1].At >= blockBytes {
		if err := w.begin(r.key); err != nil {
			return err
		}
	}
	header := r.header()
	for _, part := range [][]byte{header[:], r.key, r.value} {
		if _, err := w.out.Write(part); err != nil {
			return err
		}
	}
	t.RecordBytes += uint64(r.bytes())
	t.Records++
	return w.hashes.Append(hashOf(r.key))
}

// begin begins a block with a key; the one before ends here.
func (w *segmentWriter) begin(key []byte) error {
	next := place{At: w.trailer.RecordBytes, KeyAt: uint32(w.keys.Len()), KeyBytes: uint32(len(key))}
	if err := w.places.Append(next); err != nil {
		return err
	}
	before := w.places.Slice()[:w.places.Len()-1]
	w.end(before)
	if _, err := w.keys.Write(key); err != nil {
		return err
	}
	return nil
}

// end tells the last of some blocks how long it is.
func (w *segmentWriter) end(places []place) {
	if n := len(places); n > 0 {
		places[n-1].Bytes = uint32(w.trailer.RecordBytes - places[n-1].At)
	}
}

// finish writes index and trailer.
func (w *segmentWriter) finish() (err error) {
	w.end(w.places.Slice())
	f, err := filterFor(w.heap, w.hashes.Slice())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.heap.Free(f.bits)) }()
	t := &w.trailer
	t.Places, t.KeyBytes = uint64(w.places.Len()), uint64(w.keys.Len())
	sum := crc32.New(castagnoli)
	index := io.MultiWriter(w.out, sum)
	err = binary.Write(index, binary.LittleEndian, w.places.Slice())
	for _, part := range [][]byte{w.keys.Bytes(), f.bits} {
		_, more := index.Write(part)
		err = errors.Join(err, more)
	}
	t.IndexSum = sum.Sum32()
	t.Sum = t.sum()
	return errors.Join(err, binary.Write(w.out, binary.LittleEndian, *t), w.out.Flush())
}
