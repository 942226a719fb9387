package replay

// A round ends at whichever comes first: enough events to be worth waking the goroutines, or so many bytes that filling them
// takes a noticeable time, for the replay can only be stopped between rounds.
const (
	roundEvents = 2048 // for each goroutine
	roundBytes  = 64 << 20
)

// step is one thing to do with a block.
type step struct {
	kind    stepKind
	block   *block
	size    uint64 // bytes that the block shall have; for a free those that it has
	address uint64 // of the block in the recorded program, before the step
	line    int    // of the recording
}

type stepKind uint8

const (
	stepAlloc stepKind = iota
	stepFree
	stepRealloc
)

// round is a list of steps for each goroutine.
type round struct {
	number uint64
	steps  [][]step // by goroutine
	most   uint64   // items of a full round
	items  uint64   // events, and blocks that are released
	bytes  uint64
}

func newRound(goroutines int, most uint64) *round {
	return &round{steps: make([][]step, goroutines), most: most}
}

// goroutine is who has the block in this round. Everybody's blocks move on by one from round to round.
func (r *round) goroutine(b *block) int { return int((b.number + r.number) % uint64(len(r.steps))) }

func (r *round) add(s step) {
	g := r.goroutine(s.block)
	r.steps[g] = append(r.steps[g], s)
	r.bytes += s.size
}

func (r *round) full() bool { return r.items >= r.most || r.bytes >= roundBytes }

// empty makes room for another round's steps.
func (r *round) empty() {
	for g := range r.steps {
		r.steps[g] = r.steps[g][:0]
	}
	r.items, r.bytes = 0, 0
}
