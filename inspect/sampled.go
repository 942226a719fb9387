package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/report"
)

// scale makes estimates of the groups that sampling has recorded, and leaves out the other blocks, which they stand for.
func (g *groups) scale(all []*group, rate uint64) []*group {
	s := report.Sampling{Rate: rate, Live: g.all.blocks, Recorded: g.seen.blocks}
	kept := all[:0]
	for _, at := range all {
		is := at.sampled
		var about amount
		about.blocks, about.bytes = s.Scale(is.blocks, is.bytes)
		_, about.below = s.Scale(is.blocks, is.below)
		_, about.belowBytes = s.Scale(is.blocks, is.belowBytes)
		if at.why == beforeAudit {
			about = amount{s.Rest(g.all.blocks, g.seen.blocks), s.Rest(g.all.bytes, g.seen.bytes), s.Rest(g.all.below, g.seen.below), s.Rest(g.all.belowBytes, g.seen.belowBytes)}
		} else {
			at.Samples = is.blocks
		}
		at.Blocks += about.blocks - is.blocks
		at.Bytes += about.bytes - is.bytes
		at.Below += about.below - is.below
		at.BelowBytes += about.belowBytes - is.belowBytes
		if at.Blocks > 0 {
			kept = append(kept, at)
		}
	}
	return kept
}

// sampledNote says what the groups of a sampled heap are.
func sampledNote(rate uint64) string {
	return fmt.Sprintf("profile=1/%d: who allocated is recorded for one of %d blocks, and for all spans; how many blocks a place has is estimated from that", rate, rate)
}
