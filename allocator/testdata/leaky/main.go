// Command leaky leaks two blocks from one place. With an argument, it writes what it leaked to that file.
package main

import (
	"os"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/leaksignature"
)

func main() {
	h, err := allocator.New(allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20})
	if err != nil {
		panic(err)
	}
	for range 2 {
		remembers(h)
		forgets(h)
	}
	if len(os.Args) < 2 {
		return
	}
	file, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	var signatures []leaksignature.Signature
	for _, l := range h.Leaks() {
		s := leaksignature.Signature{Note: "leaked"}
		for _, f := range l.Allocated.Frames() {
			s.Frames = append(s.Frames, leaksignature.Frame{Function: f.Function, File: leaksignature.FileName(f.File), Line: f.Line})
		}
		signatures = append(signatures, s)
	}
	if err := leaksignature.Write(file, signatures); err != nil {
		panic(err)
	}
}

//go:noinline
func remembers(h *allocator.Heap) {
	b, _ := h.Alloc(40)
	if err := h.Free(b); err != nil {
		panic(err)
	}
}

//go:noinline
func forgets(h *allocator.Heap) {
	b, _ := h.Alloc(40)
	b[0] = 1
}
