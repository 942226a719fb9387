package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/glassheap/glassheap/internal/mtrace"
)

// Replay replays a recording on one heap. Its methods are for one goroutine at a time.
type Replay struct {
	options     Options
	heap        heap
	roundEvents uint64 // of all goroutines together
	ledger      ledger
	reader      *mtrace.Reader // of this pass, or closed of the last one
	pass        int
	events      uint64 // of this pass, in the ledger
	failed      bool   // less was done than the ledger says

	// Only while Run or Release is under way. One round is being filled while the other is being done.
	crew     *crew
	next     *round
	underWay *round
	rounds   uint64
}

// New prepares a replay. The error says which option can't be had.
func New(options Options) (*Replay, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Replay{options: options, heap: options.Heap, roundEvents: roundEvents * uint64(options.Goroutines), ledger: newLedger()}, nil
}

// Run replays the recording that open gives, Options.Repeat times; open is called for each pass. Blocks that an earlier Run
// kept are released first.
//
// When ctx is done, Run ends within a round, cleanly, and the error is ctx.Err(). The error is a *DamageError when a block's
// contents changed, a *HeapError when the heap refused an operation, mtrace.ErrNoRecording or another error of the reader
// when the recording cannot be read. After a failure of the heap all blocks stay where they are, to be looked at; such a Replay
// cannot run again. The result is valid as far as the Run came, whatever the error.
func (r *Replay) Run(ctx context.Context, open func() (*mtrace.Reader, error)) (result Result, err error) {
	if r.failed {
		return result, errors.New("replay: an earlier run failed, and its blocks are still in the heap")
	}
	began := time.Now()
	r.assemble()
	defer r.disband()
	defer func() {
		result.Seconds = time.Since(began).Seconds()
		if busy, operations := r.crew.effort(); r.options.SkipContents && operations > 0 {
			result.NsPerOperation = float64(busy.Nanoseconds()) / float64(operations)
		}
	}()
	if err := r.release(); err != nil {
		return result, err
	}
	for r.pass = 1; ; r.pass++ {
		err := r.play(ctx, open)
		if err == nil || r.pass == 1 {
			r.tell(&result)
		}
		if err == nil {
			result.Passes++
		}
		last := err != nil || r.pass == r.options.Repeat
		if r.failed || (last && r.options.KeepLive) {
			return result, err
		}
		if released := r.release(); released != nil {
			return result, released
		}
		if last {
			return result, err
		}
	}
}

// Release verifies and frees the blocks that Run left in the heap with Options.KeepLive, in the order in which they were
// allocated. The error is like that of Run. After a Run that failed it does nothing.
func (r *Replay) Release() error {
	if r.failed || len(r.ledger.live) == 0 {
		return nil
	}
	r.assemble()
	defer r.disband()
	return r.release()
}

// Live is how many blocks the replay has in the heap, unless a Run failed.
func (r *Replay) Live() int { return len(r.ledger.live) }

func (r *Replay) assemble() {
	r.crew = newCrew(r.options.Goroutines, r.heap, r.options.SkipContents)
	r.next, r.underWay = newRound(r.options.Goroutines, r.roundEvents), newRound(r.options.Goroutines, r.roundEvents)
	r.next.number = r.rounds
}

func (r *Replay) disband() {
	r.crew.dismiss()
	r.next, r.underWay = nil, nil
}

// play makes one pass. Whatever the error, all that the ledger booked has been done then, unless r.failed.
func (r *Replay) play(ctx context.Context, open func() (*mtrace.Reader, error)) error {
	r.ledger.beginPass()
	r.reader, r.events = nil, 0
	if err := ctx.Err(); err != nil {
		return err
	}
	reader, err := open()
	if err != nil {
		return fmt.Errorf("cannot read the recording: %w", err)
	}
	defer reader.Close()
	r.reader = reader
	defer context.AfterFunc(ctx, reader.Interrupt)()

	ended := r.feed(ctx)
	if err := r.finishRounds(); err != nil {
		return err
	}
	switch {
	case ended == io.EOF:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("cannot read the recording: %w", ended)
}

// feed has the recording done, but for the last two rounds. It returns why it ended.
func (r *Replay) feed(ctx context.Context) error {
	for {
		event, err := r.reader.Next()
		if err != nil {
			return err
		}
		r.events++
		r.ledger.record(&event, r.next)
		if r.next.full() {
			if err := r.turn(); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
}

// release verifies and frees all that is live, oldest first.
func (r *Replay) release() error {
	for _, held := range r.ledger.oldestFirst() {
		r.ledger.release(held, r.next)
		if r.next.full() {
			if err := r.turn(); err != nil {
				return err
			}
		}
	}
	return r.finishRounds()
}

// turn waits for the round that is under way and starts the one that was filled.
func (r *Replay) turn() error {
	if err := r.rest(); err != nil {
		return err
	}
	r.crew.start(r.next)
	r.rounds++
	r.next, r.underWay = r.underWay, r.next
	r.next.number = r.rounds
	return nil
}

// finishRounds does what was filled.
func (r *Replay) finishRounds() error {
	if err := r.turn(); err != nil {
		return err
	}
	return r.rest()
}

// rest waits for the round that is under way. The heap is at rest then.
func (r *Replay) rest() error {
	if f := r.crew.wait(); f != nil {
		r.failed = true
		return f.name(r.reader)
	}
	if r.underWay.items > 0 && r.options.Progress != nil {
		r.options.Progress(Progress{Pass: r.pass, Events: r.events, Read: r.reader.Consumed(), Size: r.reader.Size()})
	}
	r.underWay.empty()
	return nil
}

// tell puts down how the pass went.
func (r *Replay) tell(result *Result) {
	result.Counts, result.HandedOver = r.ledger.counts, r.ledger.handedOver
	if r.reader != nil {
		report := r.reader.Report()
		result.MalformedLines, result.TornLastLine = report.Malformed, report.Torn
	}
}
