package render_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// metadataOnly is an image as a snapshot shows it that was taken without the users' bytes: here they are there, and nobody may
// look at them.
type metadataOnly struct{ target.Target }

func (metadataOnly) Description() target.Description {
	return target.Description{Kind: target.KindSnapshot, PID: ownerPID, Program: "cacheserver", Path: "/tmp/x.snapshot", Heap: "sessions", Door: "snapshot",
		Metadata: true, Taken: time.Date(2026, 11, 25, 1, 2, 3, 0, time.UTC)}
}

func TestMetadataSnapshot(t *testing.T) {
	m := sessionsImage()
	name := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, name.Address+50, 0)   // slack: not seen
	m.flip(t, name.Address+64+56, 2) // the seal of the next block
	from := metadataOnly{m.target()}
	r, err := inspect.Check(t.Context(), from, inspect.CheckOptions{})
	require.NoError(t, err)
	r.Elapsed = 11 * time.Millisecond
	require.Len(t, r.Findings, 1)
	goldenInColor(t, "metadata_check", func(w io.Writer, s render.Style) error { return render.Check(w, r, s) })
	h, err := inspect.Open(t.Context(), from)
	require.NoError(t, err)
	dump, err := h.Hexdump(uint64(name.Address), 128)
	require.NoError(t, err)
	golden(t, "metadata_hexdump", func(w io.Writer, s render.Style) error { return render.Hexdump(w, dump, s) })
	golden(t, "metadata_snapshot", func(w io.Writer, s render.Style) error {
		return render.Snapshot(w, &inspect.SnapshotReport{Heap: m.check(t).Heap, Path: "to-show.snapshot", Metadata: true, Bytes: 5 << 20, FileBytes: 100_000, Elapsed: 5 * time.Millisecond, Stopped: time.Millisecond}, s)
	})
}
