// Package heapprofile writes the live blocks of a heap of this program as a profile, by the stacks that allocated them. It is
// for an HTTP handler, a signal, or the end of a program:
//
//	f, err := os.Create("heap.pb.gz")
//	err = heapprofile.Write(f, h)          // then: go tool pprof -top heap.pb.gz
//
// Stacks are those of ModeAudit: in a heap that is not audited, all blocks are one sample that says so. With
// Options.ProfileRate, the values are scaled up from the blocks that are recorded, and a comment of the profile says so. From outside of the
// program, `glassheap leaks --pprof FILE` does the same.
package heapprofile

import (
	"errors"
	"io"
	"time"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/leakprofile"
)

// ErrPlain says that a heap can't tell its live blocks, because it is plain or closed.
var ErrPlain = errors.New("heapprofile: the heap is plain or closed: it can't tell its live blocks")

// Write writes a profile with two values, live_blocks and live_bytes. While other goroutines use the heap, it is from slightly
// different moments.
func Write(w io.Writer, h *allocator.Heap) error {
	taken := time.Now()
	leaks := h.Leaks()
	if leaks == nil {
		return ErrPlain
	}
	groups := make([]leakprofile.Group, 0, len(leaks))
	sampled, unrecorded := h.SampledRate(), "allocated while the heap was not audited"
	if sampled != 0 {
		unrecorded = "allocated before the profile began"
	}
	for _, l := range leaks {
		g := leakprofile.Group{Blocks: int64(l.Blocks), Bytes: int64(l.Bytes), Unrecorded: unrecorded}
		if l.Allocated != nil {
			g.Unrecorded = "their stacks were lost"
			g.Frames = l.Allocated.Frames()
		}
		groups = append(groups, g)
	}
	return leakprofile.Write(w, groups, leakprofile.Program{}, sampled, taken)
}
