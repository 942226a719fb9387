package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/cmd/glassheap/internal/mtrace"
	"github.com/glassheap/glassheap/cmd/glassheap/internal/replay"
	"github.com/glassheap/glassheap/cmd/glassheap/internal/watcher"
)

// replayFlags are the flags of the replay command.
type replayFlags struct {
	goroutines, repeat int
	mode, geometry     string
	hold, alone        bool
	skipContents       bool
}

// replayed is the answer of the replay command for one recording.
type replayed struct {
	Trace string `json:"trace"`
	replay.Result
	watcher.Seen
	Malformed []mtrace.Malformed `json:"malformed,omitempty"`
}

func newReplay(t *terminal) *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay TRACE…",
		Short: "repeat a recorded program's allocations on a heap, while a second process checks it",
		Long: `replay drives a heap with the allocations of a real program, recorded by glibc's mtrace() (set MALLOC_TRACE and call
mtrace(), see mtrace(3)): plain, .gz or .zst; "-" is standard input. Every block is allocated, filled, verified and freed
when the recording says so. Meanwhile glassheap check looks at this process again and again, from outside.

With --hold the process stays when it is done, so that you can question its heap. With --json there is one JSON object for
each recording.`,
		Example: "  glassheap replay sqlite.mtrace.zst\n  glassheap replay --goroutines 2 --hold python.mtrace.zst",
		Args:    cobra.MinimumNArgs(1),
	}
	c.Flags().IntVar(&f.goroutines, "goroutines", 1, "how many goroutines share the work")
	c.Flags().IntVar(&f.repeat, "repeat", 1, "how many times each recording is replayed; -1: until interrupted")
	c.Flags().StringVar(&f.mode, "mode", "sealed", "mode of the heap: sealed or plain")
	c.Flags().StringVar(&f.geometry, "geometry", "default", "geometry of the heap: default or notes")
	c.Flags().BoolVar(&f.hold, "hold", false, "keep the process and its live blocks when done, until interrupted")
	c.Flags().BoolVar(&f.alone, "no-check", false, "don't check from a second process")
	c.Flags().BoolVar(&f.skipContents, "skip-contents", false, "don't write and verify the blocks' bytes: shows what the heap itself costs")
	_ = c.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions([]string{"sealed", "plain"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("geometry", cobra.FixedCompletions([]string{"default", "notes"}, cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, traces []string) error {
		found := false
		for i, trace := range traces {
			if trace == "-" && f.repeat != 1 {
				return errors.New("standard input can be replayed once only: leave out --repeat, or give a file")
			}
			r, err := f.one(c.Context(), t, trace, f.hold && i == len(traces)-1)
			if err != nil {
				return fmt.Errorf("%s: %w", trace, err)
			}
			found = found || r.Findings > 0
		}
		if found {
			return errFound
		}
		return nil
	}
	return c
}

// one replays one recording on a heap of its own, and writes the answer.
func (f *replayFlags) one(ctx context.Context, t *terminal, trace string, hold bool) (r replayed, err error) {
	r.Trace = trace
	mode, err := layout.ParseMode(f.mode)
	if err != nil {
		return r, err
	}
	geometry, err := layout.ParseGeometry(f.geometry)
	if err != nil {
		return r, err
	}
	heap, err := allocator.New(allocator.Options{Name: "replay", Mode: mode, Geometry: geometry, Policy: allocator.PolicyReport})
	if err != nil {
		return r, err
	}
	defer heap.Close()
	update, endProgress := t.showProgress("replaying " + trace)
	var reader *mtrace.Reader
	player, err := replay.New(replay.Options{
		Heap: heap, Goroutines: f.goroutines, Repeat: f.repeat, SkipContents: f.skipContents, KeepLive: true,
		Progress: func(p replay.Progress) { update(p.Read, p.Size) },
	})
	if err != nil {
		endProgress()
		return r, err
	}
	var watch *watcher.Watcher
	if !f.alone {
		watch = watcher.Start(ctx, heap.Name())
	}
	r.Result, err = player.Run(ctx, func() (_ *mtrace.Reader, err error) {
		reader, err = mtrace.Open(trace)
		return reader, err
	})
	endProgress()
	if reader != nil {
		r.Malformed = reader.Report().First
	}
	interrupted := errors.Is(err, context.Canceled) && f.repeat < 0 // that is how an endless replay ends
	if watch != nil {
		var failure error
		if r.Seen, failure = watch.Stop(context.WithoutCancel(ctx)); failure != nil && err == nil {
			err = failure
		}
	}
	if err != nil && !interrupted {
		return r, err
	}
	if err := t.answer(r, func(w io.Writer) error { return r.write(w) }); err != nil {
		return r, err
	}
	if hold {
		fmt.Fprintf(t.err, "holding %d live blocks in process %d until you interrupt it: glassheap check %d\n", player.Live(), os.Getpid(), os.Getpid())
		<-ctx.Done()
	}
	return r, player.Release()
}

// write writes the answer as text.
func (r replayed) write(w io.Writer) error {
	_, err := fmt.Fprintf(w, `replayed %s in %.2f s
  allocs         %10d
  frees          %10d   %d of blocks that were allocated before the recording began
  reallocs       %10d
  peak           %10d blocks, %d bytes
  live at end    %10d blocks, %d bytes
  findings       %10d   in %d checks by a second process, which held this one still %d times, at most for %s
`, r.Trace, r.Seconds, r.Allocs, r.Frees, r.UnknownFrees, r.Reallocs, r.PeakLiveBlocks, r.PeakLiveBytes, r.LiveBlocks, r.LiveBytes,
		r.Findings, r.Checks, r.Stops, r.Longest)
	for _, f := range r.First {
		fmt.Fprintf(w, "  finding        %s\n", f.Summary)
	}
	if r.MalformedLines > 0 {
		fmt.Fprintf(w, "  malformed      %10d lines were left out\n", r.MalformedLines)
	}
	if r.TornLastLine {
		fmt.Fprintf(w, "  the last line is torn: the recording was cut off\n")
	}
	return err
}
