package render_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func TestStats(t *testing.T) {
	stats := func(m *image) *inspect.StatsReport {
		r, err := m.open(t).Stats(context.Background())
		require.NoError(t, err)
		return r
	}
	of := func(r *inspect.StatsReport) func(io.Writer, render.Style) error {
		return func(w io.Writer, s render.Style) error { return render.Stats(w, r, s) }
	}
	goldenInColor(t, "stats", of(stats(sessionsImage())))
	golden(t, "stats_fresh", of(stats(freshImage())))
	refused := stats(sessionsImage())
	refused.ReserveShortage, refused.GuardsLost, refused.LiveBlocks, refused.LimitBytes = 48<<30, 2, 1_234_567_890, 8<<20
	refused.HugeBytes, refused.HugeRefused = 2<<20, "cannot allocate memory"
	golden(t, "stats_refused", of(refused))
}

func TestSnapshot(t *testing.T) {
	r := &inspect.SnapshotReport{
		Heap: sessionsImage().check(t).Heap, Path: "crash.snapshot", Bytes: 3_200_000, FileBytes: 80_000, Elapsed: 21 * time.Millisecond, Stopped: 1200 * time.Microsecond,
	}
	text := func(w io.Writer, s render.Style) error {
		s.Target = r.Path
		return render.Snapshot(w, r, s)
	}
	goldenInColor(t, "snapshot", text)
	r.Stopped, r.Elapsed, r.Path = 0, 2100*time.Millisecond, "c.snapshot"
	golden(t, "snapshot_of_a_file", text)
}

// TestDurations: three digits, in the unit that people would use.
func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 µs", 640: "1 µs", 999_400: "999 µs", 999_700: "1 ms", time.Millisecond: "1 ms", 1234567: "1.23 ms", 123456789: "123 ms", 999_700_000: "1 s", time.Second: "1 s",
		83 * time.Second: "83 s", 1234 * time.Second: "1234 s",
	} {
		r := sessionsImage().check(t)
		r.Elapsed = d
		text := textOf(t, func(w io.Writer, s render.Style) error { return render.Check(w, r, s) }, false)
		require.Contains(t, text, "seals in "+want+"\n", "%d ns", d)
	}
}
