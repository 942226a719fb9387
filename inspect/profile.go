package inspect

import (
	"fmt"
	"io"
	"time"

	"github.com/glassheap/glassheap/internal/leakprofile"
	"github.com/glassheap/glassheap/leaksignature"
)

// Profile writes the listed groups as a profile that `go tool pprof` opens, with two values: live_blocks and live_bytes. What
// lies below a head counts with it. Of a heap that samples, they are estimates, and a comment of the profile says so.
func (r *LeaksReport) Profile(w io.Writer) error {
	groups := make([]leakprofile.Group, 0, len(r.Groups))
	for _, g := range r.Groups {
		p := leakprofile.Group{Blocks: int64(g.Blocks + g.Below), Bytes: int64(g.Bytes + g.BelowBytes), Unrecorded: g.Unrecorded}
		if g.Oldest != nil {
			p.Frames = g.Oldest.Frames
			for _, a := range g.Oldest.Addresses {
				p.Addresses = append(p.Addresses, uint64(a))
			}
		}
		groups = append(groups, p)
	}
	taken := r.Heap.Owner.Taken
	if taken.IsZero() {
		taken = time.Now()
	}
	return leakprofile.Write(w, groups, leakprofile.Program{File: r.Heap.Owner.Program}, r.Sampled, taken)
}

// about is the word before numbers that are estimates.
func about(g LeakGroup) string {
	if g.Samples > 0 {
		return "about "
	}
	return ""
}

// Signatures are the stacks of the listed groups, as far as their functions are known: a later run can stop there.
func (r *LeaksReport) Signatures() (signatures []leaksignature.Signature) {
	for _, g := range r.Groups {
		if g.Oldest == nil || len(g.Oldest.Frames) == 0 {
			continue
		}
		s := leaksignature.Signature{CutOff: g.cutOff, Note: fmt.Sprintf("%s%d %s in %d %s", about(g), g.Bytes+g.BelowBytes, plural(int(g.Bytes+g.BelowBytes), "byte"), g.Blocks+g.Below, plural(int(g.Blocks+g.Below), "block"))}
		for _, f := range g.Oldest.Frames {
			s.Frames = append(s.Frames, leaksignature.Frame{Function: f.Function, File: leaksignature.FileName(f.File), Line: f.Line})
		}
		signatures = append(signatures, s)
	}
	return signatures
}
