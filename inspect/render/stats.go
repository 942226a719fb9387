package render

import (
	"fmt"
	"io"

	"github.com/glassheap/glassheap/inspect"
)

// Stats writes the heap in figures.
func Stats(w io.Writer, r *inspect.StatsReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	line := func(name, value, note string) { p.printf("  %-14s %22s   %s\n", name, value, p.paint(dim, note)) }
	p.printf("\nblocks\n")
	line("live", p.paint(live, number(r.LiveBlocks)), fmt.Sprintf("room for %s; %s of them spans of %s", size(r.LiveBytes), number(r.Spans), size(r.SpanBytes)))
	line("cached", number(r.CachedBlocks), fmt.Sprintf("free, in the magazines of %s and in the depots", count(r.Caches, "P")))
	line("free", number(r.FreeBlocks), "on their slabs' free lists")
	line("virgin", number(r.VirginBlocks), "in slabs, never handed out")
	line("withdrawn", p.some(r.Withdrawn), "found damaged, out of use for ever")
	line("allocs", number(r.Allocs), "so far, spans excepted")
	line("frees", number(r.Frees), "so far, spans excepted")
	p.printf("\nmemory\n")
	line("reserve", size(r.ReserveBytes), "address space for blocks")
	if r.ReserveShortage > 0 {
		line("refused", p.paint(unsure, size(r.ReserveShortage)), "of the reserve that was asked for: see ulimit -v")
	}
	line("mapped", size(r.MappedBytes), count(r.Heap.Arenas, "arena"))
	line("in use", size(r.InUseBytes), count(uint64(r.Slabs), "slab")+", spans and their guard pages")
	line("metadata", size(r.MetadataBytes), "")
	line("not live", fmt.Sprintf("%.1f %%", 100*r.Fragmentation), "of the pages in use: free blocks, seals, ends of slabs")
	if r.GuardsLost > 0 {
		line("guards lost", number(r.GuardsLost), "guard pages that the system refused")
	}
	return p.err
}
