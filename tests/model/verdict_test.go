package model

import (
	"context"
	"errors"
	"fmt"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
)

// verdict judges the heap as a whole, while nobody uses it: its figures, its memory and its reports.
func (w *world) verdict(players ...*player) error {
	expected := 0
	for _, p := range players {
		expected += p.expected
		p.expected = 0
	}
	if found := w.violations.take(); len(found) != expected {
		return fmt.Errorf("%d violations were reported, not %d: %v", len(found), expected, found)
	}
	if err := w.judgeStats(); err != nil {
		return err
	}
	report, err := inspect.Check(context.Background(), w.target, inspect.CheckOptions{})
	if err != nil {
		return fmt.Errorf("check could not look: %w", err)
	}
	for _, f := range append(report.Findings, report.Unsettled...) {
		return fmt.Errorf("check found %d things, %d unsettled; the first: %s: %s (%s, should be %s: %s)",
			len(report.Findings), len(report.Unsettled), f.Code, f.Summary, f.Found, f.Expected, f.Why)
	}
	return nil
}

// noteReclaim makes the model forget what a tiny heap has let go of to find room.
func (w *world) noteReclaim() {
	if w.tiny && w.audit && w.alone {
		w.held.keepNewest(int(w.heap.Stats().Quarantined))
	}
}

// judgeStats holds Stats against what the model counted.
func (w *world) judgeStats() error {
	w.noteReclaim()
	s := w.heap.Stats()
	var wrong []error
	equal := func(what string, found uint64, expected int64) {
		if int64(found) != expected {
			wrong = append(wrong, fmt.Errorf("Stats.%s is %d, should be %d", what, found, expected))
		}
	}
	equal("ReserveBytes", s.ReserveBytes, w.options.ReserveBytes)
	equal("ReserveShortage", s.ReserveShortage, 0)
	equal("Allocs", s.Allocs, w.allocs.Load())
	equal("Frees", s.Frees, w.frees.Load())
	switch {
	case w.audit && w.alone && !w.held.unsure:
		equal("Quarantined", s.Quarantined, int64(w.held.count()))
	case !w.audit:
		equal("Quarantined", s.Quarantined, 0)
	}
	equal("Spans", s.Spans, w.spans.Load())
	equal("LiveBlocks", s.LiveBlocks, w.live())
	equal("Withdrawn", s.Withdrawn, w.withdrawn.Load())
	equal("GuardsLost", s.GuardsLost, 0)
	if s.InUseBytes > s.MappedBytes || s.MappedBytes > s.ReserveBytes || s.Mode != w.options.Mode {
		wrong = append(wrong, fmt.Errorf("figures that contradict each other: %+v", s))
	}
	if s.LiveBlocks == 0 && s.Spans == 0 && s.Slabs == 0 && s.Quarantined == 0 && s.InUseBytes != 0 {
		wrong = append(wrong, fmt.Errorf("%d bytes are in use by nobody", s.InUseBytes))
	}
	return errors.Join(wrong...)
}

// glance looks at the ends of all blocks.
func (p *player) glance() error {
	for _, b := range p.blocks {
		if err := b.glance(); err != nil {
			return err
		}
	}
	return nil
}

// finish frees all blocks but some, judges what is left, and closes the heap.
func (w *world) finish(leave int, players ...*player) error {
	for _, p := range players {
		if err := p.receive(); err != nil {
			return err
		}
	}
	left := 0
	for _, p := range players {
		for len(p.blocks) > 0 && left+len(p.blocks) > leave {
			if err := p.release(p.blocks[0]); err != nil {
				return err
			}
		}
		left += len(p.blocks)
		for _, b := range p.blocks {
			if err := b.verify(b.size); err != nil {
				return err
			}
		}
	}
	if err := w.verdict(players...); err != nil {
		return fmt.Errorf("when all was freed: %w", err)
	}
	w.heap.Scavenge()
	if err := w.verdict(players...); err != nil {
		return fmt.Errorf("after Scavenge: %w", err)
	}
	return w.close(left)
}

// close closes the heap, which counts what was never freed.
func (w *world) close(left int) error {
	err := errors.Join(w.target.Close(), w.other.Free(w.foreign), w.other.Close())
	closed := w.heap.Close()
	leak := (*allocator.LeakError)(nil)
	switch {
	case errors.As(closed, &leak) && left > 0 && leak.Blocks == uint64(left):
		return err
	case closed != nil || left > 0:
		return fmt.Errorf("Close with %d live blocks: %w", left, closed)
	}
	return err
}
