package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/glassheap/glassheap/allocator/layout"
)

// WriteSnapshot writes a snapshot of those extents of a heap; everything else of it reads as zeros afterwards. Extents may
// touch and overlap, and be as coarse as the whole heap: holes that the source knows are passed over, zero pages are left out.
// Where the source ends before an extent does, the rest is zeros.
//
// progress, if not nil, is called now and then with the bytes of the source that are done, out of total. The same input gives
// the same bytes. When ctx ends, its error is returned and w has a part of a snapshot, which no reader takes for a whole one.
func WriteSnapshot(ctx context.Context, w io.Writer, source io.ReaderAt, extents []Extent, info SnapshotInfo, progress func(done, total int64)) error {
	extents, err := normalise(extents)
	if err != nil {
		return err
	}
	if len(extents) > 0 {
		end := extents[len(extents)-1].end()
		if info.Size == 0 {
			info.Size = end
		}
		if end > info.Size {
			return fmt.Errorf("an extent ends at %d, and the heap has %d bytes", end, info.Size)
		}
	}
	if info.Size < 0 || info.Size > mostHeapBytes {
		return fmt.Errorf("a heap has no %d bytes", info.Size)
	}
	if info.Format == 0 {
		info.Format = layout.Version
	}
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	if len(text) > mostInfoBytes {
		return fmt.Errorf("the snapshot's info has %d bytes, at most %d are allowed", len(text), mostInfoBytes)
	}
	out := &snapshotWriter{w: w}
	if err := out.write(snapshotHeader(text)); err != nil {
		return err
	}
	if err := out.writeChunks(ctx, source, dataOf(source, extents), progress); err != nil {
		return err
	}
	return out.finish()
}

type snapshotWriter struct {
	w     io.Writer
	place int64
	index []byte
}

func (s *snapshotWriter) write(b []byte) error {
	n, err := s.w.Write(b)
	s.place += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// window is a MiB of the heap, and which parts of it are wanted.
type window struct {
	offset int64
	parts  []Extent
}

func (w window) wanted() (bytes int64) {
	for _, p := range w.parts {
		bytes += p.Bytes
	}
	return bytes
}

// windows cuts normalised extents into windows.
func windows(extents []Extent) iter.Seq[window] {
	return func(yield func(window) bool) {
		var w window
		for _, e := range extents {
			for e.Bytes > 0 {
				offset := e.Offset &^ (windowBytes - 1)
				if offset != w.offset && len(w.parts) > 0 {
					if !yield(w) {
						return
					}
					w.parts = nil
				}
				w.offset = offset
				part := Extent{e.Offset, min(e.Bytes, offset+windowBytes-e.Offset)}
				w.parts = append(w.parts, part)
				e.Offset, e.Bytes = part.end(), e.Bytes-part.Bytes
			}
		}
		if len(w.parts) > 0 {
			yield(w)
		}
	}
}

// packed is a window that is ready to be written.
type packed struct {
	chunk
	frame  []byte
	wanted int64
	err    error
}

// writeChunks packs the windows on all processors and writes them in order.
func (s *snapshotWriter) writeChunks(ctx context.Context, source io.ReaderAt, extents []Extent, progress func(done, total int64)) error {
	workers := min(runtime.GOMAXPROCS(0), 8)
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(workers), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(windowBytes), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
	if err != nil {
		return err
	}
	defer encoder.Close()

	type job struct {
		window
		done chan packed
	}
	jobs := make(chan job)
	ordered := make(chan job, 2*workers) // the room between the quickest and the slowest
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait() // nobody reads the source after the return
	defer cancel()

	running.Go(func() {
		defer close(ordered)
		defer close(jobs)
		for w := range windows(extents) {
			j := job{w, make(chan packed, 1)}
			for _, queue := range []chan job{ordered, jobs} {
				select {
				case queue <- j:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	for range workers {
		running.Go(func() {
			plain := make([]byte, windowBytes)
			for j := range jobs {
				j.done <- pack(encoder, source, j.window, plain)
			}
		})
	}

	var done, total int64
	for _, e := range extents {
		total += e.Bytes
	}
	for j := range ordered {
		var p packed
		select {
		case p = <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if p.err != nil {
			return p.err
		}
		if len(p.frame) > 0 {
			p.place, p.chunk.packed = s.place, uint32(len(p.frame))
			if err := s.write(p.frame); err != nil {
				return err
			}
			s.index = p.appendTo(s.index)
		}
		done += p.wanted
		if progress != nil {
			progress(done, total)
		}
	}
	return ctx.Err()
}

// pack reads and compresses a window. No frame means that there are only zeros. plain is room for it.
func pack(encoder *zstd.Encoder, source io.ReaderAt, w window, plain []byte) packed {
	p := packed{wanted: w.wanted()}
	clear(plain)
	for _, part := range w.parts {
		at := part.Offset - w.offset
		if p.err = readPart(source, plain[at:at+part.Bytes], part.Offset); p.err != nil {
			return p
		}
	}
	from, to := withoutZeroPages(plain)
	if from == to {
		return p
	}
	plain = plain[from:to]
	p.offset, p.bytes, p.sum = w.offset+int64(from), uint32(len(plain)), checksum(plain)
	p.frame = encoder.EncodeAll(plain, make([]byte, 0, len(plain)/4))
	if len(p.frame) > mostPackedBytes {
		p.err = fmt.Errorf("zstd made %d bytes of %d", len(p.frame), len(plain))
	}
	return p
}

// readPart reads len(p) bytes; what lies behind the end of the source is zeros.
func readPart(source io.ReaderAt, p []byte, offset int64) error {
	n, err := source.ReadAt(p, offset)
	if errors.Is(err, io.EOF) {
		clear(p[n:])
		return nil
	}
	return err
}

// zeroStep is how finely zeros at the ends of a window are left out: a page.
const zeroStep = layout.PageBytes

var zeroPage [zeroStep]byte

// withoutZeroPages is the range of whole pages from the first to the last that isn't zero.
func withoutZeroPages(plain []byte) (from, to int) {
	isZero := func(at int) bool { return string(plain[at:at+zeroStep]) == string(zeroPage[:]) }
	to = len(plain)
	for to > 0 && isZero(to-zeroStep) {
		to -= zeroStep
	}
	for from < to && isZero(from) {
		from += zeroStep
	}
	return from, to
}

// finish writes the index and the footer.
func (s *snapshotWriter) finish() error {
	f := footer{index: s.place, chunks: int64(len(s.index)) / snapshotEntryBytes, sum: checksum(s.index)}
	f.fileBytes = f.index + int64(len(s.index)) + snapshotFooterBytes
	if err := s.write(s.index); err != nil {
		return err
	}
	return s.write(f.bytes())
}
