package replay

import (
	"errors"
	"fmt"

	"github.com/glassheap/glassheap/allocator"
)

// Options say how a recording is replayed. Heap must be set; the zero value of the rest means one goroutine, one pass,
// contents verified, all blocks freed at the end.
type Options struct {
	// Heap is where blocks are allocated. Its policy must not be to panic, if violations are to come back as errors: the panic
	// would be on a goroutine of the replay.
	Heap *allocator.Heap
	// Goroutines is how many share the work; 0 means 1, at most 1024.
	Goroutines int
	// SkipContents leaves the blocks' bytes alone: nothing is written or verified. It shows what the allocator itself costs.
	SkipContents bool
	// Repeat is how many passes are made; 0 means 1, a negative number goes on until the context is done. Between two passes
	// all blocks are freed.
	Repeat int
	// KeepLive leaves the blocks that are live at the end of the last pass in the heap, until Release.
	KeepLive bool
	// Progress, if set, is called after each round, hundreds of times a second, on Run's goroutine. No goroutine of the replay
	// uses the heap while it runs: it may look at the heap at rest, and waiting in it pauses the replay.
	Progress func(Progress)
}

const mostGoroutines = 1024

// withDefaults fills in what is not set and refuses what cannot be.
func (o Options) withDefaults() (Options, error) {
	if o.Goroutines == 0 {
		o.Goroutines = 1
	}
	if o.Repeat == 0 {
		o.Repeat = 1
	}
	switch {
	case o.Heap == nil:
		return o, errors.New("replay: Options.Heap is not set")
	case o.Goroutines < 0 || o.Goroutines > mostGoroutines:
		return o, fmt.Errorf("replay: Options.Goroutines is %d: it must lie from 1 to %d", o.Goroutines, mostGoroutines)
	}
	return o, nil
}

// Progress is how far a Run is.
type Progress struct {
	Pass   int    // from 1
	Events uint64 // of this pass that were read; some thousand of them may not be done yet
	Read   int64  // bytes of the recording that were read, as it is stored
	Size   int64  // bytes that it has; -1: not known
}
