package target

import (
	"context"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Frozen is a copy of some extents of a heap in the memory of this process. What lies between them reads as zeros. It is safe
// for concurrent use.
type Frozen struct {
	size    int64
	pieces  []piece // sorted by offset
	lock    sync.RWMutex
	memory  []byte // nil when closed; not of Go's heap, where it would hurry the collector
	release func() error
}

// piece is an extent, and where its bytes begin in the memory.
type piece struct {
	Extent
	at int64
}

// Freeze copies those extents of a heap into the memory of this process, as fast as it goes, to be called while the owner is
// held still: what takes long, compressing or checking, can then be done after Resume. Holes that the source knows take
// neither time nor memory. It refuses to take more memory than the machine has to spare.
func Freeze(ctx context.Context, source io.ReaderAt, extents []Extent) (*Frozen, error) {
	extents, err := normalise(extents)
	if err != nil {
		return nil, err
	}
	f := &Frozen{}
	if len(extents) > 0 {
		f.size = extents[len(extents)-1].end()
	}
	var bytes int64
	for _, e := range dataOf(source, extents) {
		f.pieces = append(f.pieces, piece{e, bytes})
		bytes += e.Bytes
	}
	if f.memory, f.release, err = takeMemory(bytes); err != nil {
		return nil, err
	}
	if err := f.fill(ctx, source); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// freezeStep is what is copied in one go: a huge page.
const freezeStep = 2 << 20

// fill copies on several processors: most of the time goes into the first touch of the pages of the copy, and while the owner
// stands still, its processors are free.
func (f *Frozen) fill(ctx context.Context, source io.ReaderAt) error {
	var steps []piece
	for _, p := range f.pieces {
		for p.Bytes > 0 {
			step := piece{Extent{p.Offset, min(p.Bytes, freezeStep)}, p.at}
			steps = append(steps, step)
			p.Offset, p.Bytes, p.at = step.end(), p.Bytes-step.Bytes, p.at+step.Bytes
		}
	}
	var next atomic.Int64
	errs := make([]error, min(runtime.GOMAXPROCS(0), 8))
	var copying sync.WaitGroup
	for i := range errs {
		copying.Go(func() {
			for errs[i] == nil {
				n := int(next.Add(1)) - 1
				if n >= len(steps) {
					return
				}
				s := steps[n]
				if errs[i] = ctx.Err(); errs[i] == nil {
					errs[i] = readPart(source, f.memory[s.at:s.at+s.Bytes], s.Offset)
				}
			}
		})
	}
	copying.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadAt reads as io.ReaderAt says. The end is that of the last extent.
func (f *Frozen) ReadAt(p []byte, offset int64) (int, error) {
	f.lock.RLock()
	defer f.lock.RUnlock()
	switch {
	case f.release == nil:
		return 0, os.ErrClosed
	case offset < 0:
		return 0, errNegativeOffset
	case len(p) == 0:
		return 0, nil
	case offset >= f.size:
		return 0, io.EOF
	}
	n := 0
	end := offset + min(int64(len(p)), f.size-offset)
	for i := f.pieceAt(offset); offset < end; i++ {
		hole := end
		if i < len(f.pieces) {
			hole = max(offset, min(f.pieces[i].Offset, end))
		}
		clear(p[n : n+int(hole-offset)])
		n, offset = n+int(hole-offset), hole
		if offset == end {
			break
		}
		from := f.pieces[i]
		copied := copy(p[n:n+int(end-offset)], f.memory[from.at+offset-from.Offset:from.at+from.Bytes])
		n, offset = n+copied, offset+int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// pieceAt is the index of the first piece that ends behind an offset.
func (f *Frozen) pieceAt(offset int64) int {
	i, _ := slices.BinarySearchFunc(f.pieces, offset, func(p piece, offset int64) int {
		if p.end() <= offset {
			return -1
		}
		return 1
	})
	return i
}

// data lists what was copied.
func (f *Frozen) data(within Extent) ([]Extent, error) {
	var parts []Extent
	for _, p := range f.pieces[f.pieceAt(within.Offset):] {
		if p.Offset >= within.end() {
			break
		}
		start, end := max(p.Offset, within.Offset), min(p.end(), within.end())
		parts = append(parts, Extent{start, end - start})
	}
	return parts, nil
}

// Close gives the memory back. Reads fail afterwards.
func (f *Frozen) Close() error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.release == nil {
		return os.ErrClosed
	}
	release := f.release
	f.memory, f.release = nil, nil
	return release()
}
