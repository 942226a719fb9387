package inspect

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// region is one part of the metadata: its bytes and the address that they have in the owner. A damaged header may claim
// gigabytes for it, so only what holds data is read and takes memory.
type region struct {
	start uint64
	bytes []byte

	filled []target.Extent // of bytes, that the latest read filled: all else is zero
}

// get copies the T at address out of the region: a word, or a struct that lies there as it lies here; ok is false when it does not
// lie inside.
func get[T any](r region, address uint64) (value T, ok bool) {
	size := uint64(unsafe.Sizeof(value))
	offset := address - r.start
	if offset > uint64(len(r.bytes)) || uint64(len(r.bytes))-offset < size {
		return value, false
	}
	copy(layout.Bytes(&value), r.bytes[offset:offset+size])
	return value, true
}

// end is the address behind the region.
func (r region) end() uint64 { return r.start + uint64(len(r.bytes)) }

// filledEnd is how many bytes of the region reach to the last data.
func (r region) filledEnd() (end uint64) {
	for _, p := range r.filled {
		end = max(end, uint64(p.Offset+p.Bytes))
	}
	return min(end, uint64(len(r.bytes)))
}

const (
	// mostMetadataBytes bounds the address space that a header can make this program take. A heap of 64 GiB full of blocks of 8
	// bytes has less.
	mostMetadataBytes = 32 << 30
	// mostBlindBytes bounds what is read through a door that can't tell where there is nothing but zeros.
	mostBlindBytes = 256 << 20
	// mostZeros is how much of nothing but zeros is kept behind the last data: what is kept is counted and judged.
	mostZeros = 128 << 20
	// smallRegion is one for which looking for holes doesn't pay. It is more than any struct with all that belongs to it: so
	// much is kept of the zeros behind the last data in any case.
	smallRegion = 1 << 20
)

// read fills the region with the bytes at an address. Where the memory ends before that, it ends too; but what is said to have a
// meaning when it is zero, as many bytes as certain says, is there.
func (r *region) read(t target.Target, base, start, bytes, certain uint64) error {
	if bytes == 0 { // a part that the heap doesn't have, or nothing of it is in use
		r.start, r.bytes = start, r.bytes[:0]
		return nil
	}
	offset := start - base
	size := uint64(max(t.Size(), 0))
	bytes = min(bytes, size-min(offset, size))
	parts := []target.Extent{{Offset: 0, Bytes: int64(bytes)}}
	if bytes > smallRegion {
		data, known := target.DataIn(t, target.Extent{Offset: int64(offset), Bytes: int64(bytes)})
		if !known {
			bytes = min(bytes, mostBlindBytes)
			data = []target.Extent{{Offset: int64(offset), Bytes: int64(bytes)}}
		}
		parts = parts[:0]
		last := uint64(0)
		for _, d := range data {
			parts = append(parts, target.Extent{Offset: d.Offset - int64(offset), Bytes: d.Bytes})
			last = uint64(d.Offset-int64(offset)) + uint64(d.Bytes)
		}
		if bytes > mostZeros {
			bytes = min(bytes, max(last+smallRegion, certain))
		}
	}
	if bytes > mostMetadataBytes {
		return fmt.Errorf("the header tells of %d MiB of metadata, more than any heap has", bytes>>20)
	}
	r.prepare(bytes, parts)
	r.start = start
	for _, p := range parts {
		n, err := readWide(t, r.bytes[p.Offset:p.Offset+p.Bytes], int64(offset)+p.Offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("the metadata at %s can't be read: %w", Address(start), err)
		}
		if int64(n) < p.Bytes {
			r.bytes = r.bytes[:p.Offset+int64(n)]
			break
		}
	}
	return nil
}

// readBut reads anew what an earlier read filled, and what was added behind it, but for the parts to keep: extents of the region,
// sorted and apart. It reports whether that could be done: the door has to show the memory.
func (r *region) readBut(t target.Target, base, start, bytes uint64, kept []target.Extent) bool {
	v, ok := t.(target.Viewer)
	if !ok || r.start != start || bytes < uint64(len(r.bytes)) || bytes > uint64(cap(r.bytes)) {
		return false
	}
	seen := v.View(int64(start-base), int64(bytes))
	if seen == nil {
		return false
	}
	r.bytes, r.filled = r.bytes[:bytes], []target.Extent{{Offset: 0, Bytes: int64(bytes)}}
	at := 0
	for _, k := range kept {
		at += copy(r.bytes[at:min(int(k.Offset), int(bytes))], seen[at:])
		at = min(int(k.Offset+k.Bytes), int(bytes))
	}
	copy(r.bytes[at:], seen[at:])
	return true
}

// prepare makes room for bytes, of which only these parts will be filled.
func (r *region) prepare(bytes uint64, parts []target.Extent) {
	if uint64(cap(r.bytes)) < bytes {
		r.bytes, r.filled = make([]byte, bytes+bytes/8), nil // untouched, it takes no memory
	}
	whole := r.bytes[:cap(r.bytes)]
	for _, old := range r.filled {
		for _, p := range parts {
			if p.Offset <= old.Offset && p.Offset+p.Bytes >= old.Offset+old.Bytes {
				old.Bytes = 0 // it is written over
			}
		}
		clear(whole[old.Offset : old.Offset+old.Bytes])
	}
	r.bytes, r.filled = whole[:bytes], parts
}

// wideRead is how much each goroutine reads at least.
const wideRead = 2 << 20

// readWide is ReadAt by several goroutines: while the owner stands still, its processors are free.
func readWide(t target.Target, buffer []byte, offset int64) (n int, err error) {
	parts := min(runtime.GOMAXPROCS(0), 8, len(buffer)/wideRead)
	if parts < 2 {
		return t.ReadAt(buffer, offset)
	}
	type part struct {
		n   int
		err error
	}
	each := (len(buffer)/parts + layout.PageBytes) &^ (layout.PageBytes - 1)
	results := make([]part, parts)
	var reading sync.WaitGroup
	for i := range parts {
		reading.Go(func() {
			piece := buffer[min(i*each, len(buffer)):min((i+1)*each, len(buffer))]
			results[i].n, results[i].err = t.ReadAt(piece, offset+int64(i*each))
		})
	}
	reading.Wait()
	for _, r := range results {
		n += r.n
		if r.err != nil {
			return n, r.err // what comes behind it doesn't count
		}
	}
	return n, nil
}
