package inspect

import (
	"context"
	"time"

	"github.com/glassheap/glassheap/inspect/target"
)

// Watch looks at a heap again and again, and says what has changed. It is for one goroutine.
type Watch struct {
	target  target.Target
	program *Program
	before  *Pulse
	// Counting by stack reads every live block, so it is done at its own pace.
	stacks   []PulseStack
	bytes    map[groupKey]uint64 // of each stack, when it was counted last
	counted  time.Time
	counting time.Duration // that it took last
}

// stacksShare is the part of the time that counting by stack may take: one of so many.
const stacksShare = 10

// watchedStacks is how many stacks a look lists.
const watchedStacks = 50

// NewWatch watches a target. The program names the functions of recorded stacks; nil: they are addresses.
func NewWatch(t target.Target, p *Program) *Watch { return &Watch{target: t, program: p} }

// Pulse is a heap at one moment, and what has changed since the look before.
type Pulse struct {
	Taken   time.Time     `json:"taken"`
	Since   time.Duration `json:"since_ns"` // the look before; 0: this is the first one, and has no rates
	Elapsed time.Duration `json:"elapsed_ns"`
	Stats   *StatsReport  `json:"stats"`
	Rates   Rates         `json:"rates"`
	Bins    []PulseBin    `json:"bins"`
	Stacks  []PulseStack  `json:"stacks,omitempty"` // that allocated what is live: the most bytes first
	Counted time.Time     `json:"stacks_counted,omitzero"`
}

// Rates are per second. Those of what is live are below zero when it becomes less.
type Rates struct {
	Allocs     float64 `json:"allocs"` // spans excepted, as in StatsReport
	Frees      float64 `json:"frees"`
	LiveBlocks float64 `json:"live_blocks"`
	LiveBytes  float64 `json:"live_bytes"`
}

// PulseBin is one bin at one moment.
type PulseBin struct {
	BinRow
	Rates Rates `json:"rates"`

	allocs, frees uint64
}

// PulseStack is the live blocks that one stack allocated.
type PulseStack struct {
	LeakGroup
	BytesRate float64 `json:"bytes_rate"` // per second, since they were counted before
}

// Look looks at the heap. A running process is held still as the target's options say, for as long as copying its metadata
// takes. Errors are those of Open; a *target.NotFoundError says that the process has ended or has closed the heap.
func (w *Watch) Look(ctx context.Context) (*Pulse, error) {
	h, err := Open(ctx, w.target)
	if err != nil {
		return nil, err
	}
	if err := h.usable(); err != nil {
		return nil, err
	}
	h.program = w.program
	taken := time.Now()
	result, err := pass{}.run(ctx, h)
	if err != nil {
		return nil, err
	}
	p := &Pulse{Taken: taken, Stats: h.statsOf(&result)}
	for i, row := range h.binRows(&result) {
		b := PulseBin{BinRow: row}
		b.allocs, b.frees = h.traffic(i)
		p.Bins = append(p.Bins, b)
	}
	if w.before != nil {
		p.compare(w.before)
	}
	if err := w.countStacks(ctx, h); err != nil {
		return nil, err
	}
	p.Stacks, p.Counted = w.stacks, w.counted
	p.Elapsed = time.Since(taken)
	w.before = p
	return p, nil
}

// compare fills the rates.
func (p *Pulse) compare(before *Pulse) {
	p.Since = p.Taken.Sub(before.Taken)
	a, b := before.Stats, p.Stats
	p.Rates = Rates{
		Allocs: perSecond(a.Allocs, b.Allocs, p.Since), Frees: perSecond(a.Frees, b.Frees, p.Since),
		LiveBlocks: perSecond(a.LiveBlocks, b.LiveBlocks, p.Since), LiveBytes: perSecond(a.LiveBytes, b.LiveBytes, p.Since),
	}
	for i := range p.Bins {
		if i >= len(before.Bins) {
			return
		}
		a, b := &before.Bins[i], &p.Bins[i]
		b.Rates = Rates{
			Allocs: perSecond(a.allocs, b.allocs, p.Since), Frees: perSecond(a.frees, b.frees, p.Since),
			LiveBlocks: perSecond(a.Live, b.Live, p.Since), LiveBytes: perSecond(a.Live, b.Live, p.Since) * float64(b.Size),
		}
	}
}

func perSecond(before, now uint64, elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	return float64(int64(now-before)) / elapsed.Seconds()
}

// countStacks counts what is live by stack, unless that was done lately.
func (w *Watch) countStacks(ctx context.Context, h *Heap) error {
	if h.stacks == nil || time.Since(w.counted) < (stacksShare-1)*w.counting {
		return nil
	}
	began := time.Now()
	leaks, err := h.Leaks(ctx, LeakOptions{})
	if err != nil {
		return err
	}
	before, elapsed := w.bytes, began.Sub(w.counted)
	w.stacks, w.bytes = []PulseStack{}, map[groupKey]uint64{}
	for _, g := range leaks.Groups {
		key := groupKey{g.stack, g.why}
		w.bytes[key] = g.Bytes
		if len(w.stacks) == watchedStacks {
			continue
		}
		s := PulseStack{LeakGroup: g}
		if before != nil {
			s.BytesRate = perSecond(before[key], g.Bytes, elapsed)
		}
		w.stacks = append(w.stacks, s)
	}
	w.counted, w.counting = began, time.Since(began)
	return nil
}
