package inspect

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/glassheap/glassheap/inspect/target"
)

// TooLargeError says that a heap is larger than a snapshot may be.
type TooLargeError struct{ Bytes, Most int64 }

// Error names both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%d MiB of the heap are in use, and a snapshot may hold %d MiB", e.Bytes>>20, e.Most>>20)
}

// SnapshotEnded is Snapshot for a heap that nobody changes any more: it is not copied before it is written, which may take as
// much memory again. A heap of which more than most bytes are in use is left alone: the error is a *TooLargeError.
func SnapshotEnded(ctx context.Context, t target.Target, path string, most int64) (*SnapshotReport, error) {
	started := time.Now()
	c := new(capture)
	if err := c.take(t); err != nil {
		return nil, err
	}
	h := decode(t, c)
	if err := h.usable(); err != nil {
		return nil, err
	}
	r := &SnapshotReport{Path: path}
	extents := h.extents(false)
	for _, e := range extents {
		r.Bytes += e.Bytes
	}
	if r.Bytes > most {
		return nil, &TooLargeError{r.Bytes, most}
	}
	if err := target.SaveSnapshot(ctx, path, t, extents, target.InfoOf(t, extents, started), nil); err != nil {
		return nil, err
	}
	if file, err := os.Stat(path); err == nil {
		r.FileBytes = file.Size()
	}
	r.Heap = h.summary(passCounts{})
	r.Elapsed = time.Since(started)
	return r, nil
}
