package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/cmd/glassheap/internal/screen"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// leastInterval keeps a watcher from taking a processor for itself.
const leastInterval = 50 * time.Millisecond

func newWatch(t *terminal) *cobra.Command {
	o := opening{terminal: t}
	var interval time.Duration
	var once bool
	c := &cobra.Command{
		Use:   "watch TARGET",
		Short: "like top: rates, bins, who allocates, again and again",
		Long: `watch shows on the whole terminal how much is live, how fast blocks come and go,
which bins they are of and, where that is recorded, who allocated them. Keys:
q quits, s sorts by something else, tab chooses the lists, space pauses, + and -
change the pace.

The process is not held still, unless --stop auto says so: a figure may be a few
operations behind another. Counting by stack reads every live block; it is done
so rarely that it takes at most a tenth of the time.

--once looks twice, one interval apart, and writes one frame. With --json there
is one JSON object for each look, each in a line, until interrupted.`,
		Example: "  glassheap watch 4711\n  glassheap watch 4711 --once\n  glassheap watch 4711 --json --interval 10s | jq .rates.live_bytes",
	}
	o.addFlags(c)
	o.stop = target.StopNever
	c.Flags().Lookup("stop").DefValue = o.stop.String()
	c.Flags().DurationVar(&interval, "interval", time.Second, "how long from look to look")
	c.Flags().BoolVar(&once, "once", false, "write one frame and end")
	c.Args = o.arguments(0, 0, "a target and nothing else")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case interval < leastInterval:
			return fmt.Errorf("--interval %v: the least is %v", interval, leastInterval)
		case o.stop == target.StopWhole:
			return errors.New("--stop whole: a process that stands still is not worth watching; choose auto or never")
		case !once && !t.json && !(isTerminal(t.out) && isTerminal(t.in)):
			return errors.New("watch needs a terminal; elsewhere use --once, or --json for one object for each look")
		}
		heap, program, _, name, err := o.withProgram(c.Context(), args)
		if err != nil {
			return err
		}
		defer heap.Close()
		w := inspect.NewWatch(heap, program)
		switch {
		case once:
			pulse, err := secondLook(c.Context(), w, interval)
			if err != nil {
				return err
			}
			return t.answer(pulse, func(out io.Writer) error {
				return render.Watch(out, pulse, t.style(name), render.WatchView{Height: t.lines()})
			})
		case t.json:
			return pulses(c.Context(), w, interval, json.NewEncoder(t.out))
		}
		return screen.Run(c.Context(), w, screen.Options{Interval: interval, Style: t.style(name), In: t.in, Out: t.out})
	}
	return c
}

// secondLook is a look that has rates.
func secondLook(ctx context.Context, w *inspect.Watch, interval time.Duration) (*inspect.Pulse, error) {
	if _, err := w.Look(ctx); err != nil {
		return nil, err
	}
	if err := pause(ctx, interval); err != nil {
		return nil, err
	}
	return w.Look(ctx)
}

// pulses writes a line for each look, until the context or the process ends.
func pulses(ctx context.Context, w *inspect.Watch, interval time.Duration, out *json.Encoder) error {
	for {
		pulse, err := w.Look(ctx)
		if err == nil {
			err = out.Encode(pulse)
		}
		if err == nil {
			err = pause(ctx, interval)
		}
		if ctx.Err() != nil {
			return nil // that is how one leaves it
		}
		if err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, interval time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(interval):
		return nil
	}
}
