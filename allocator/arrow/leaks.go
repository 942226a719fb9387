package glassheaparrow

import (
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/allocator"
)

// mostLeaksShown is how many places leaksOf names.
const mostLeaksShown = 10

// leaksOf says what is live in a heap, by who allocated it, the most bytes first; nothing for no heap.
func leaksOf(h *allocator.Heap) string {
	if h == nil {
		return ""
	}
	var text strings.Builder
	leaks := h.Leaks()
	for i, l := range leaks {
		if i == mostLeaksShown {
			fmt.Fprintf(&text, "\nand %d more places", len(leaks)-i)
			break
		}
		fmt.Fprintf(&text, "\nLEAK of %d bytes in %d of the heap's blocks", l.Bytes, l.Blocks)
		if l.Allocated == nil {
			continue // not audited, so it is not known
		}
		text.WriteString(" FROM")
		for _, f := range l.Allocated.Frames() {
			fmt.Fprintf(&text, "\n\t%s\n\t\t%s:%d", f.Function, f.File, f.Line)
		}
	}
	return text.String()
}
