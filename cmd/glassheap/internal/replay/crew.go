package replay

import (
	"sync"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// crew is the goroutines that do the rounds. start and wait are called in turn, by one goroutine.
type crew struct {
	workers  []*worker
	underWay sync.WaitGroup // workers that are not done with the round
	gone     sync.WaitGroup // workers that have not ended
}

// heap is what a worker needs of an *allocator.Heap. Tests have worse ones, to see that the replay notices.
type heap interface {
	Malloc(n int) (unsafe.Pointer, error)
	FreePointer(p unsafe.Pointer) error
	ReallocPointer(p unsafe.Pointer, n int) (unsafe.Pointer, error)
}

var _ heap = (*allocator.Heap)(nil)

// worker is one of the goroutines. All but todo is the worker's own while a round is under way.
type worker struct {
	heap         heap
	skipContents bool
	todo         chan []step
	failed       *failure // what ended the round early
	busy         time.Duration
	operations   uint64
}

func newCrew(goroutines int, h heap, skipContents bool) *crew {
	c := &crew{}
	for range goroutines {
		w := &worker{heap: h, skipContents: skipContents, todo: make(chan []step, 1)}
		c.workers = append(c.workers, w)
		c.gone.Go(func() {
			for steps := range w.todo {
				w.do(steps)
				c.underWay.Done()
			}
		})
	}
	return c
}

// start has a round done. The one before must have been waited for.
func (c *crew) start(r *round) {
	for g, steps := range r.steps {
		if len(steps) > 0 {
			c.underWay.Add(1)
			c.workers[g].todo <- steps
		}
	}
}

// wait returns when the round is done. Of several failures it tells the one that comes first in the recording.
func (c *crew) wait() *failure {
	c.underWay.Wait()
	var first *failure
	for _, w := range c.workers {
		if w.failed != nil && (first == nil || w.failed.line < first.line) {
			first = w.failed
		}
	}
	return first
}

// dismiss ends the goroutines. No round may be under way.
func (c *crew) dismiss() {
	for _, w := range c.workers {
		close(w.todo)
	}
	c.gone.Wait()
}

// effort is the time the workers spent on steps, together, and how many steps these were.
func (c *crew) effort() (busy time.Duration, operations uint64) {
	for _, w := range c.workers {
		busy += w.busy
		operations += w.operations
	}
	return busy, operations
}

// do does the worker's share of a round, up to the first failure.
func (w *worker) do(steps []step) {
	began := time.Now()
	for i := range steps {
		if w.failed = w.step(&steps[i]); w.failed != nil {
			break
		}
	}
	w.busy += time.Since(began)
	w.operations += uint64(len(steps))
}
