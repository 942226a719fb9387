package peers

import (
	"math"
	"math/rand/v2"
	"slices"
)

// What the workloads draw from chance is drawn before the clock starts, and is the same in each run and for each peer.

func random() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// inOrder is 0, 1, 2 … n-1.
func inOrder(n int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	return order
}

// reversed is n-1 … 2, 1, 0.
func reversed(n int) []int32 {
	order := inOrder(n)
	slices.Reverse(order)
	return order
}

// shuffled is inOrder, permuted.
func shuffled(n int) []int32 {
	order := inOrder(n)
	random().Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// step says which block is replaced by one of which size.
type step struct{ place, size int32 }

// The sizes of the mix: half of them up to 64 B, one in a hundred above 655 B, the mean 106 B.
const (
	mixMedianBytes = 64
	mixSigma       = 1
	mixMostBytes   = 16 << 10
)

const stepsOnTape = 1 << 18

// logNormalSteps are so many that replace random ones of so many blocks, by blocks of log-normal size.
func logNormalSteps(steps, blocks int) []step {
	r := random()
	tape := make([]step, steps)
	for i := range tape {
		size := mixMedianBytes * math.Exp(mixSigma*r.NormFloat64())
		tape[i] = step{r.Int32N(int32(blocks)), int32(min(max(size, 1), mixMostBytes))}
	}
	return tape
}

// uniformSteps are so many that replace random ones of so many blocks, by blocks of any size between the two.
func uniformSteps(steps, blocks, least, most int) []step {
	r := random()
	tape := make([]step, steps)
	for i := range tape {
		tape[i] = step{r.Int32N(int32(blocks)), int32(least + r.IntN(most-least+1))}
	}
	return tape
}

// tape is what a program did with its blocks.
type tape struct {
	events []event
	places int // as many as there are blocks live at the same time
	pairs  int // allocations and reallocs
}

// event is one of those things, with the block of one place.
type event struct {
	op    op
	place int32
	size  int32 // bytes; none in a release
}

type op uint8

const (
	allocate op = iota
	resize      // by realloc
	release
)

// The buffers that grow: so many at the same time, each to double its size again and again.
const (
	growingBlocks = 64
	growsFrom     = 16
	growsTo       = 16 << 10
)

// growth is a tape of buffers that grow in turn and are released in the end.
func growth() *tape {
	t := &tape{places: growingBlocks}
	for size := int32(growsFrom); size <= growsTo; size *= 2 {
		for place := range int32(growingBlocks) {
			e := event{resize, place, size}
			if size == growsFrom {
				e.op = allocate
			}
			t.events = append(t.events, e)
			t.pairs++
		}
	}
	for place := range int32(growingBlocks) {
		t.events = append(t.events, event{op: release, place: place})
	}
	return t
}
