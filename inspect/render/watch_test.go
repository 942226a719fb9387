package render_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// pulse is a heap that grows.
func pulse() *inspect.Pulse {
	p := &inspect.Pulse{
		Taken: time.Date(2026, 11, 24, 12, 4, 31, 0, time.UTC), Since: time.Second,
		Stats: &inspect.StatsReport{Heap: auditedSummary(), LiveBlocks: 41_207, LiveBytes: 3_040_870, InUseBytes: 3_565_158, MappedBytes: 4 << 20, Fragmentation: 0.147, Quarantined: 8192, Withdrawn: 1},
		Rates: inspect.Rates{Allocs: 1_203_441, Frees: 1_203_100, LiveBlocks: 341, LiveBytes: 12_345},
	}
	for i := range 30 {
		size := uint32(8 * (i + 1))
		b := inspect.PulseBin{BinRow: inspect.BinRow{Bin: i, Size: size, Slabs: i % 7, Blocks: uint64(100 * (i % 7)), Live: uint64(61 * (i % 7)), Cached: uint64(20 * (i % 7))}}
		b.Rates = inspect.Rates{Allocs: float64(i*i*i) * 9.7, LiveBytes: float64((i - 12) * 999)}
		p.Bins = append(p.Bins, b)
	}
	for i, g := range leaksReport().Groups {
		p.Stacks = append(p.Stacks, inspect.PulseStack{LeakGroup: g, BytesRate: float64(1-i) * 2048})
	}
	return p
}

// trend goes up, and down at the end.
func trend() (values []uint64) {
	for i := range 60 {
		values = append(values, uint64(2_000_000+i*20_000))
	}
	return append(values, 2_900_000, 2_600_000, 2_300_000)
}

func TestWatch(t *testing.T) {
	full := render.WatchView{Height: 24, Trend: trend(), State: "every 1s", Keys: "q quit   s by growth   tab bins, stacks   space pause   + - pace"}
	goldenInColor(t, "watch", func(w io.Writer, s render.Style) error { return render.Watch(w, pulse(), s, full) })
	bins := full
	bins.Lists, bins.Order = render.WatchBins, render.OrderAllocs
	golden(t, "watch_bins", func(w io.Writer, s render.Style) error { return render.Watch(w, pulse(), s, bins) })
	stacks := full
	stacks.Lists, stacks.Order = render.WatchStacks, render.OrderGrowth
	golden(t, "watch_stacks", func(w io.Writer, s render.Style) error { return render.Watch(w, pulse(), s, stacks) })
	golden(t, "watch_first", func(w io.Writer, s render.Style) error {
		p := pulse()
		p.Since, p.Stacks, p.Bins = 0, nil, nil
		return render.Watch(w, p, s, render.WatchView{})
	})
}

// TestWatchFits: whatever the size of the terminal, a frame is not larger.
func TestWatchFits(t *testing.T) {
	for width := 20; width <= 130; width += 11 {
		for height := 1; height <= 60; height++ {
			for lists := render.WatchBoth; lists <= render.WatchStacks; lists++ {
				for _, keys := range []string{"", "q quit   s by growth"} {
					var b strings.Builder
					require.NoError(t, render.Watch(&b, pulse(), render.Style{Width: width}, render.WatchView{Height: height, Lists: lists, Trend: trend(), Keys: keys}))
					lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
					require.LessOrEqual(t, len(lines), height, "%d×%d", width, height)
					for _, line := range lines {
						require.LessOrEqual(t, len([]rune(line)), width, line)
					}
					if keys != "" {
						require.Len(t, lines, height, "the keys are the last line")
						require.Contains(t, lines[height-1], keys[:min(len(keys), width/2)])
					}
				}
			}
		}
	}
}
