package report

import (
	"math"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Sampling is what a heap knows that recorded who allocated only one of so many blocks: how many blocks are live, and of how many
// it is recorded.
type Sampling struct {
	Rate     uint64 // one of this many allocations was recorded; 0, 1: all were
	Live     uint64 // blocks that may have been chosen: not spans, all of which are recorded
	Recorded uint64 // of these
}

// SampledRate is of how many blocks it is recorded for one who allocated it, in a heap with this mode and these rates; 0: for all
// or for none.
func SampledRate(mode layout.Mode, profile, guard uint64) uint64 {
	rate := profile
	if guard != 0 && profile != 0 {
		rate = min(profile, guard) // a guarded block is recorded too
	}
	if mode != layout.ModeSealed || rate <= 1 {
		return 0
	}
	return rate
}

// Scale makes of a number of recorded blocks, and of their bytes, how many there are about: as many times as many as the rate says,
// but not more than there are in all. The blocks are whole ones, and as large as before on average.
func (s Sampling) Scale(blocks, bytes uint64) (aboutBlocks, aboutBytes uint64) {
	if blocks == 0 {
		return 0, 0
	}
	aboutBlocks = rounded(float64(blocks) * s.factor())
	return aboutBlocks, rounded(float64(bytes) * float64(aboutBlocks) / float64(blocks))
}

func rounded(x float64) uint64 { return uint64(math.Round(x)) }

func (s Sampling) factor() float64 {
	if s.Rate <= 1 || s.Recorded == 0 {
		return 1
	}
	return min(float64(s.Rate), float64(s.Live)/float64(s.Recorded))
}

// Rest is how many of n blocks or bytes are left when the recorded ones were scaled up; 0 when that is what chance leaves.
func (s Sampling) Rest(n, recorded uint64) uint64 {
	if s.Rate <= 1 {
		return n - recorded
	}
	// The count of what was sampled is off by its square root, and twice that is nothing to speak of.
	left := float64(s.Live) - float64(s.Recorded)*s.factor()
	if chance := 2 * float64(s.Rate); left <= 0 || left*left <= chance*chance*float64(s.Recorded) {
		return 0
	}
	return n - min(n, rounded(float64(recorded)*s.factor()))
}
