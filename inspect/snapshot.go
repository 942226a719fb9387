package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// SnapshotReport says what a snapshot holds. Sizes are in bytes.
type SnapshotReport struct {
	Heap      Summary       `json:"heap"`
	Path      string        `json:"path"`
	Metadata  bool          `json:"metadata"`   // the users' bytes were left out
	Bytes     int64         `json:"bytes"`      // of heap memory that was looked at
	FileBytes int64         `json:"file_bytes"` // of the file: compressed
	Stopped   time.Duration `json:"stopped_ns"`
	Elapsed   time.Duration `json:"elapsed_ns"`
	Missing   *Missing      `json:"missing,omitempty"` // from the core that it is of
}

// SnapshotOptions say what a snapshot holds.
type SnapshotOptions struct {
	// Metadata leaves out what the program keeps in its blocks: of these, the snapshot has the seals only. It tells everything
	// that a whole one does, but for what was written before a seal, and what blocks hold.
	Metadata bool
	// Progress, if set, is called now and then with the bytes that are done.
	Progress func(done, total int64)
}

// Snapshot writes the heap's metadata and every page that is in use to a file, compressed. A running process is held still
// while that memory is copied, not while it is compressed. Where it can't be held still that is an error: the pieces would be
// of different moments.
func Snapshot(ctx context.Context, t target.Target, path string, o SnapshotOptions) (*SnapshotReport, error) {
	started := time.Now()
	r := &SnapshotReport{Path: path, Metadata: o.Metadata || t.Description().Metadata} // what is not there can't be put back
	h, frozen, err := r.freeze(ctx, t)
	if err != nil {
		return nil, err
	}
	defer frozen.Close()
	source, extents := io.ReaderAt(frozen), h.extents(r.Metadata)
	for _, e := range extents {
		r.Bytes += e.Bytes
	}
	info := target.InfoOf(t, extents, started)
	info.Metadata = r.Metadata
	if r.Metadata {
		source = withoutData{frozen, h}
	}
	if err := target.SaveSnapshot(ctx, path, source, extents, info, o.Progress); err != nil {
		return nil, err
	}
	if file, err := os.Stat(path); err == nil {
		r.FileBytes = file.Size()
	}
	r.Heap, r.Missing = h.summary(passCounts{}), h.Missing()
	r.Elapsed = time.Since(started)
	return r, nil
}

// freeze copies what the snapshot holds while the owner stands still, at a moment at which no lock of the heap is held.
func (r *SnapshotReport) freeze(ctx context.Context, t target.Target) (*Heap, frozenMemory, error) {
	stopper, running := t.(target.Stopper)
	c := new(capture)
	if running {
		c.prepare(t)
	}
	for try := 1; ; try++ {
		stopped := target.Stopped(nil)
		if running {
			var err error
			if stopped, err = stopper.Stop(ctx); err != nil {
				return nil, nil, fmt.Errorf("a snapshot is of one moment: %w", err)
			}
		}
		h, frozen, err := freezeNow(ctx, t, c, r.Metadata)
		if running {
			err = errors.Join(err, stopped.Resume())
			r.Stopped = max(r.Stopped, stopped.Stood())
		}
		if err != nil {
			if frozen != nil {
				frozen.Close()
			}
			return nil, nil, err
		}
		if !running || !h.held() || try == mostStops {
			return h, frozen, nil
		}
		frozen.Close()
	}
}

func freezeNow(ctx context.Context, t target.Target, c *capture, metadata bool) (*Heap, frozenMemory, error) {
	if err := c.take(t); err != nil {
		return nil, nil, err
	}
	h := decode(t, c)
	if err := h.usable(); err != nil {
		return nil, nil, err
	}
	frozen, err := target.Freeze(ctx, t, h.extents(metadata))
	if err != nil {
		return nil, nil, err // not frozen: a nil *Frozen would be no nil frozenMemory
	}
	return h, frozen, nil
}

// extents are the parts of the heap's memory that are in use: the metadata, and the pages of slabs and spans; of these, if only
// metadata are wanted, the pages with seals.
func (h *Heap) extents(metadata bool) (extents []target.Extent) {
	add := func(start, bytes uint64) {
		bytes = (bytes + layout.PageBytes - 1) &^ (layout.PageBytes - 1)
		offset := int64(start - h.id.Base)
		if n := len(extents); n > 0 && extents[n-1].Offset+extents[n-1].Bytes == offset {
			extents[n-1].Bytes += int64(bytes)
			return
		}
		extents = append(extents, target.Extent{Offset: offset, Bytes: int64(bytes)})
	}
	for _, r := range h.capture.regions() {
		add(r.start, uint64(len(r.bytes)))
	}
	if metadata {
		return append(extents, h.sealExtents()...)
	}
	if h.guards != nil {
		for i := range h.guards.Slots {
			if h.guards.Slots[i].State == layout.GuardLive {
				add(h.id.GuardPages+layout.GuardPage(i), layout.PageBytes)
			}
		}
	}
	for i, a := range h.arenas {
		start := h.id.Data + uint64(i)*layout.ArenaBytes
		if a.State == layout.ArenaHuge || a.State == layout.ArenaHugeTail {
			add(start, layout.ArenaBytes)
			continue
		}
		for page := range layout.PagesPerArena {
			if k := h.pageEntry(i*layout.PagesPerArena + page).Kind(); k == layout.PageSlab || k == layout.PageSpan {
				add(start+uint64(page)*layout.PageBytes, layout.PageBytes)
			}
		}
	}
	return extents
}
