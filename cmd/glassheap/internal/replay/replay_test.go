package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/mtrace"
	"github.com/stretchr/testify/require"
)

func TestSmallRecording(t *testing.T) {
	for _, mode := range []allocator.Mode{allocator.ModeSealed, allocator.ModePlain} {
		for _, goroutines := range []int{1, 2, 3} {
			h := newHeap(t, mode)
			r := newReplay(t, Options{Heap: h, Goroutines: goroutines})
			result, err := r.Run(context.Background(), func() (*mtrace.Reader, error) {
				return mtrace.Open("../../../../internal/mtrace/testdata/small.mtrace")
			})
			require.NoError(t, err)
			require.Positive(t, result.Seconds)
			result.Seconds, result.HandedOver = 0, 0
			require.Equal(t, Result{
				Counts: Counts{
					Allocs: 12, Frees: 8, Reallocs: 5, UnknownFrees: 1, UnknownReallocs: 1, LostFrees: 1, FailedAllocs: 2,
					PeakLiveBlocks: 9, PeakLiveBytes: 0x30 + 0x400 + 0x20 + 0x90 + 0x42000 + 0x38 + 0x65 + 0x64 + 0xc8,
					LiveBlocks: 5, LiveBytes: 0x30 + 0x20 + 0x90 + 0x38 + 0xc8,
				},
				MalformedLines: 1, TornLastLine: true, Passes: 1,
			}, result)
			require.Zero(t, h.Stats().LiveBlocks)
			require.Zero(t, r.Live())
		}
	}
}

func TestResultAsJSON(t *testing.T) {
	text, err := json.Marshal(Result{Counts: Counts{Allocs: 1, LiveBytes: 2}, Passes: 3})
	require.NoError(t, err)
	require.Equal(t, `{"allocs":1,"frees":0,"reallocs":0,"unknown_frees":0,"unknown_reallocs":0,"lost_frees":0,"failed_allocs":0,`+
		`"peak_live_blocks":0,"peak_live_bytes":0,"live_blocks":0,"live_bytes":2,"handed_over":0,"malformed_lines":0,`+
		`"torn_last_line":false,"passes":3,"elapsed_seconds":0}`, string(text))
}

func TestNullPointers(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	result, err := run(newReplay(t, Options{Heap: h}), "- (nil)\n+ (nil) 0x10\n+ 0x10 0x8\n! 0x10 0x100\n< 0x10\n> (nil) 0x20\n< (nil)\n> 0x30 0x1\n")
	require.NoError(t, err)
	result.Seconds = 0
	require.Equal(t, Result{Passes: 1, Counts: Counts{
		Allocs: 1, FailedAllocs: 3, Reallocs: 1, UnknownReallocs: 1, PeakLiveBlocks: 2, PeakLiveBytes: 9, LiveBlocks: 2, LiveBytes: 9,
	}}, result)
}

// A realloc is one event: its old and new block never count together.
func TestPeakDuringRealloc(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	result, err := run(newReplay(t, Options{Heap: h}), "+ 0x10 0x64\n< 0x10\n> 0x200 0x65\n- 0x200\n")
	require.NoError(t, err)
	require.Equal(t, uint64(1), result.PeakLiveBlocks)
	require.Equal(t, uint64(0x65), result.PeakLiveBytes)
}

// manyLives is n allocs, and frees that lag behind them by lag.
func manyLives(n, lag int) string {
	var events []mtrace.Event
	for i := range n + lag {
		if i < n {
			events = append(events, mtrace.Event{Op: mtrace.Alloc, Address: uint64(16 + i*16), Size: uint64(i % 100)})
		}
		if i >= lag {
			events = append(events, mtrace.Event{Op: mtrace.Free, Address: uint64(16 + (i-lag)*16)})
		}
	}
	return script(events)
}

func TestGoroutinesShareTheWork(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	r := newReplay(t, Options{Heap: h, Goroutines: 4})
	text := manyLives(20000, 5000)
	least, most := uint64(1<<63), uint64(0)
	r.options.Progress = func(Progress) {
		least, most = 1<<63, 0
		for _, w := range r.crew.workers {
			least, most = min(least, w.operations), max(most, w.operations)
		}
	}
	first, err := run(r, text)
	require.NoError(t, err)
	require.Greater(t, least, uint64(40000/4*8/10))
	require.Less(t, most, uint64(40000/4*12/10))
	require.Greater(t, first.HandedOver, uint64(10000))
	require.Less(t, first.HandedOver, uint64(20000))

	again, err := run(newReplay(t, Options{Heap: h, Goroutines: 4}), text)
	require.NoError(t, err)
	require.Equal(t, first.HandedOver, again.HandedOver, "the work is dealt out the same way each time")
	alone, err := run(newReplay(t, Options{Heap: h}), text)
	require.NoError(t, err)
	require.Zero(t, alone.HandedOver)
	require.Equal(t, first.Counts, alone.Counts)
	twice, err := run(newReplay(t, Options{Heap: h, Goroutines: 4, Repeat: 2}), text)
	require.NoError(t, err)
	require.Equal(t, first.HandedOver, twice.HandedOver, "that of one pass")
}

func TestProgressSeesTheHeapAtRest(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	text := manyLives(10000, 100)
	var seen []Progress
	o := Options{Heap: h, Goroutines: 2, Repeat: 2, Progress: func(p Progress) {
		before := h.Stats()
		require.Equal(t, before, h.Stats())
		require.Equal(t, before.Allocs-before.Frees, before.LiveBlocks)
		seen = append(seen, p)
	}}
	_, err := run(newReplay(t, o), text)
	require.NoError(t, err)
	require.Len(t, seen, 10)
	for i, p := range seen {
		require.Equal(t, 1+i/5, p.Pass)
		require.Equal(t, min(uint64(i%5+2)*4096, 20000), p.Events)
		require.Equal(t, int64(-1), p.Size)
	}
	require.Equal(t, int64(len(text)), seen[4].Read)
}

// Large blocks take long to fill: rounds must not become so long that nothing stops them.
func TestRoundsEndAfterManyBytes(t *testing.T) {
	h := newHeap(t, allocator.ModePlain)
	var events []mtrace.Event
	for range 40 {
		events = append(events, mtrace.Event{Op: mtrace.Alloc, Address: 16, Size: 8 << 20}, mtrace.Event{Op: mtrace.Free, Address: 16})
	}
	rounds := 0
	ctx, cancel := context.WithCancel(context.Background())
	o := Options{Heap: h, SkipContents: true, Progress: func(Progress) { rounds++ }}
	_, err := newReplay(t, o).Run(ctx, recorded(script(events)))
	require.NoError(t, err)
	require.Equal(t, 10, rounds)

	o.Progress = func(Progress) { cancel() }
	result, err := newReplay(t, o).Run(ctx, recorded(script(events)))
	require.Equal(t, context.Canceled, err)
	require.Equal(t, uint64(8), result.Allocs, "one round was done and one was filled when the end came")
}

func TestReleaseGoesByRounds(t *testing.T) {
	var text strings.Builder
	text.WriteString("= Start\n")
	for i := range 5 * roundEvents / 2 {
		fmt.Fprintf(&text, "+ %#x 0x8\n", 16+i*16)
	}
	rounds := 0
	r := newReplay(t, Options{Heap: newHeap(t, allocator.ModeSealed), KeepLive: true, Progress: func(Progress) { rounds++ }})
	_, err := run(r, text.String())
	require.NoError(t, err)
	require.Equal(t, 3, rounds)
	require.NoError(t, r.Release())
	require.Equal(t, 6, rounds)
}

func TestNothingIsLeftBehind(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	open := func() (*mtrace.Reader, error) {
		return mtrace.Open("../../../../internal/mtrace/testdata/small.mtrace")
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	r := newReplay(t, Options{Heap: h, Goroutines: 8, Repeat: 10, KeepLive: true})
	_, err := r.Run(context.Background(), open)
	require.NoError(t, err)
	require.NoError(t, r.Release())
	require.Equal(t, files, openFiles())
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+1 }, 5*time.Second, time.Millisecond, "one is Eventually's own")
}

// openFiles is how many files the process has open; 0 where that is not known.
func openFiles() int {
	files, _ := os.ReadDir("/proc/self/fd")
	return len(files)
}

func TestRepeat(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	text := "+ 0x10 0x20\n+ 0x40 0x30\n- 0x10\n"
	opened := 0
	open := func() (*mtrace.Reader, error) {
		opened++
		require.Zero(t, h.Stats().LiveBlocks, "everything is freed between passes")
		return recorded(text)()
	}
	r := newReplay(t, Options{Heap: h, Goroutines: 2, Repeat: 3, KeepLive: true})
	result, err := r.Run(context.Background(), open)
	require.NoError(t, err)
	require.Equal(t, 3, opened)
	require.Equal(t, 3, result.Passes)
	require.Equal(t, Counts{Allocs: 2, Frees: 1, PeakLiveBlocks: 2, PeakLiveBytes: 0x50, LiveBlocks: 1, LiveBytes: 0x30}, result.Counts, "those of one pass")
	require.Equal(t, 1, r.Live())
	require.Equal(t, uint64(1), h.Stats().LiveBlocks)

	_, err = r.Run(context.Background(), open)
	require.NoError(t, err)
	require.Equal(t, 6, opened)
	require.NoError(t, r.Release())
	require.Zero(t, r.Live())
	require.Zero(t, h.Stats().LiveBlocks)
	require.NoError(t, r.Release(), "there is nothing more to release")
}

func TestRepeatUntilCancelled(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	ctx, cancel := context.WithCancel(context.Background())
	r := newReplay(t, Options{Heap: h, Repeat: -1, Progress: func(p Progress) {
		if p.Pass == 20 {
			cancel()
		}
	}})
	r.roundEvents = 100
	result, err := r.Run(ctx, recorded(manyLives(500, 10)))
	require.Equal(t, context.Canceled, err)
	require.Equal(t, 19, result.Passes)
	require.Equal(t, uint64(500), result.Allocs, "the counts of a whole pass")
	require.Zero(t, h.Stats().LiveBlocks)
}

func TestCancelInTheMiddle(t *testing.T) {
	for _, keep := range []bool{false, true} {
		h := newHeap(t, allocator.ModeSealed)
		ctx, cancel := context.WithCancel(context.Background())
		r := newReplay(t, Options{Heap: h, Goroutines: 2, KeepLive: keep, Progress: func(p Progress) { cancel() }})
		result, err := r.Run(ctx, recorded(manyLives(20000, 1000)))
		require.Equal(t, context.Canceled, err)
		require.Zero(t, result.Passes)
		require.Positive(t, result.Allocs)
		require.Less(t, result.Allocs, uint64(10000))
		if keep {
			require.Equal(t, result.LiveBlocks, h.Stats().LiveBlocks)
			require.Equal(t, int(result.LiveBlocks), r.Live())
			require.NoError(t, r.Release())
		}
		require.Zero(t, h.Stats().LiveBlocks)
	}
}

func TestCancelledBeforeItBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := newReplay(t, Options{Heap: newHeap(t, allocator.ModeSealed)}).Run(ctx, func() (*mtrace.Reader, error) {
		t.Fatal("opened")
		return nil, nil
	})
	require.Equal(t, context.Canceled, err)
}

// noise is a recording without events or end. It reports that it is being read.
type noise struct{ read func() }

func (n noise) Read(p []byte) (int, error) {
	n.read()
	return copy(p, "no event\n"), nil
}

func TestCancelWhereThereAreNoEvents(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	reads := 0
	_, err := newReplay(t, Options{Heap: newHeap(t, allocator.ModeSealed)}).Run(ctx, func() (*mtrace.Reader, error) {
		return mtrace.NewReader(noise{func() {
			if reads++; reads == 1000 {
				cancel()
			}
		}}, "noise")
	})
	require.Equal(t, context.Canceled, err)
}

func TestUnreadableRecordings(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	r := newReplay(t, Options{Heap: h})
	_, err := r.Run(context.Background(), func() (*mtrace.Reader, error) { return mtrace.Open("missing") })
	require.ErrorIs(t, err, os.ErrNotExist)

	_, err = run(r, "hello\n")
	require.ErrorIs(t, err, mtrace.ErrNoRecording)

	wrong := errors.New("the disk is on fire")
	result, err := r.Run(context.Background(), func() (*mtrace.Reader, error) {
		return mtrace.NewReader(io.MultiReader(strings.NewReader("+ 0x10 0x1\nnoise\n"), failing{wrong}), "disk")
	})
	require.ErrorIs(t, err, wrong)
	require.Equal(t, uint64(1), result.Allocs, "as far as it came")
	require.Equal(t, 1, result.MalformedLines)
	require.Zero(t, result.Passes)
	require.Zero(t, h.Stats().LiveBlocks)

	_, err = run(r, "+ 0x10 0x1\n")
	require.NoError(t, err, "the replay can be used again")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestOptions(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	for _, c := range []struct {
		options Options
		err     string
	}{
		{Options{}, "replay: Options.Heap is not set"},
		{Options{Heap: h, Goroutines: -1}, "replay: Options.Goroutines is -1: it must lie from 1 to 1024"},
		{Options{Heap: h, Goroutines: 1025}, "replay: Options.Goroutines is 1025: it must lie from 1 to 1024"},
	} {
		_, err := New(c.options)
		require.EqualError(t, err, c.err)
	}
}

func TestSkipContents(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	result, err := run(newReplay(t, Options{Heap: h, SkipContents: true}), manyLives(1000, 10))
	require.NoError(t, err)
	require.Positive(t, result.NsPerOperation)
	require.Less(t, result.NsPerOperation, 1e6)
	result, err = run(newReplay(t, Options{Heap: h}), manyLives(1000, 10))
	require.NoError(t, err)
	require.Zero(t, result.NsPerOperation, "the contents take most of the time")
}
