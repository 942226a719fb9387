package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/cmd/glassheap/internal/replay"
	"github.com/glassheap/glassheap/cmd/glassheap/internal/watcher"
	"github.com/glassheap/glassheap/internal/mtrace"
)

// replayFlags are the flags of the replay command.
type replayFlags struct {
	goroutines, repeat int
	mode, geometry     string
	hold, alone        bool
	skipContents       bool
}

func newReplay(t *terminal) *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay TRACE…",
		Short: "repeat a recorded program's allocations, checked meanwhile",
		Long: `replay drives a heap with the allocations of a real program, recorded by glibc's
mtrace() (set MALLOC_TRACE and call mtrace(), see mtrace(3)): plain, .gz or
.zst; "-" is standard input. Every block is allocated, filled, verified and
freed when the recording says so. Meanwhile glassheap check looks at this
process again and again, from outside.

With --hold the process stays when it is done, so that you can question its
heap. With --json there is one JSON object for each recording.`,
		Example: "  glassheap replay sqlite.mtrace.zst\n  glassheap replay --goroutines 2 --hold python.mtrace.zst",
		Args: func(_ *cobra.Command, traces []string) error {
			if len(traces) == 0 {
				return errors.New("replay needs a TRACE: a recording made by glibc's mtrace(), or - for standard input (`glassheap help replay` tells more)")
			}
			return f.check(traces)
		},
	}
	c.Flags().IntVar(&f.goroutines, "goroutines", 1, "how many goroutines share the work")
	c.Flags().IntVar(&f.repeat, "repeat", 1, "how many times each recording is replayed; -1: until interrupted")
	c.Flags().StringVar(&f.mode, "mode", "sealed", "mode of the heap: sealed, plain or audit")
	c.Flags().StringVar(&f.geometry, "geometry", "default", "geometry of the heap: default, notes or aligned")
	c.Flags().BoolVar(&f.hold, "hold", false, "keep the process and its live blocks when done, until interrupted")
	c.Flags().BoolVar(&f.alone, "no-check", false, "don't check from a second process")
	c.Flags().BoolVar(&f.skipContents, "skip-contents", false, "don't write and verify the blocks' bytes: shows what the heap itself costs")
	_ = c.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions([]string{"sealed", "plain", "audit"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("geometry", cobra.FixedCompletions([]string{"default", "notes", "aligned"}, cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, traces []string) error {
		found := false
		for i, trace := range traces {
			r, err := f.one(c.Context(), t, trace, f.hold && i == len(traces)-1)
			if err != nil {
				if !strings.Contains(err.Error(), trace) {
					err = fmt.Errorf("%s: %w", trace, err)
				}
				return err
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

// check finds what is wrong with the flags before anything is done.
func (f *replayFlags) check(traces []string) error {
	if _, err := layout.ParseMode(f.mode); err != nil {
		return fmt.Errorf("--mode: %w", err)
	}
	if _, err := layout.ParseGeometry(f.geometry); err != nil {
		return fmt.Errorf("--geometry: %w", err)
	}
	switch {
	case f.goroutines < 1 || f.goroutines > mostGoroutines:
		return fmt.Errorf("--goroutines %d: choose from 1 to %d", f.goroutines, mostGoroutines)
	case f.repeat < 1 && f.repeat != -1:
		return fmt.Errorf("--repeat %d: choose 1 or more, or -1 for until interrupted", f.repeat)
	case f.repeat != 1 && slices.Contains(traces, "-"):
		return errors.New("standard input can be replayed once only: leave out --repeat, or give a file")
	}
	return nil
}

// mostGoroutines is how many goroutines a replay may have.
const mostGoroutines = 1024

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
		r.Malformed = malformedLines(reader.Report().First)
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
	if err := t.answer(r, func(w io.Writer) error { return r.write(w, f.alone) }); err != nil {
		return r, err
	}
	if hold {
		fmt.Fprintf(t.err, "holding %d live blocks in process %d until you interrupt it: glassheap check %d\n", player.Live(), os.Getpid(), os.Getpid())
		<-ctx.Done()
	}
	return r, player.Release()
}
