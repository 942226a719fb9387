package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/glassheap/glassheap/inspect"
)

// Stats writes the heap in figures.
func Stats(w io.Writer, r *inspect.StatsReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	p.Printf("\nblocks\n")
	room := "room for " + size(r.LiveBytes)
	if r.Spans > 0 {
		room += fmt.Sprintf("; %s of them %s, of %s", number(r.Spans), agree(uint64(r.Spans), "a span", "spans"), size(r.SpanBytes))
	}
	if r.Guarded > 0 {
		room += fmt.Sprintf("; %s of them guarded, of %s", number(r.Guarded), size(r.GuardedBytes))
	}
	p.figure("live", p.Paint(live, number(r.LiveBlocks)), room)
	p.figure("cached", number(r.CachedBlocks), fmt.Sprintf("free, in the magazines of %s and in the depots", count(r.Caches, "P")))
	p.figure("free", number(r.FreeBlocks), "on their slabs' free lists")
	p.figure("virgin", number(r.VirginBlocks), "in slabs, never handed out")
	if r.Quarantined > 0 {
		p.figure("quarantined", p.Paint(unsure, number(r.Quarantined)), "freed and held back, spans included")
	}
	p.figure("withdrawn", p.some(r.Withdrawn), "found damaged, out of use for ever")
	p.figure("allocs", number(r.Allocs), "so far, spans excepted")
	p.figure("frees", number(r.Frees), "so far, spans excepted")
	p.Printf("\nmemory\n")
	p.figure("reserve", size(r.ReserveBytes), "address space for blocks")
	if r.ReserveShortage > 0 {
		p.figure("refused", p.Paint(unsure, size(r.ReserveShortage)), "of the reserve that was asked for: see ulimit -v")
	}
	p.figure("mapped", size(r.MappedBytes), count(r.Heap.Arenas, "arena"))
	if r.HugeBytes > 0 || r.HugeRefused != "" {
		meaning := "on huge pages"
		if r.HugeRefused != "" {
			meaning += "; refused: " + r.HugeRefused
		}
		p.figure("huge", size(r.HugeBytes), meaning)
	}
	p.figure("in use", size(r.InUseBytes), count(uint64(r.Slabs), "slab")+", spans and their guard pages")
	if r.RetainedBytes > 0 {
		p.figure("retained", size(r.RetainedBytes), "free pages that still hold memory")
	}
	if r.LimitBytes > 0 {
		p.figure("limit", size(r.LimitBytes), "for what is in use and what is retained")
	}
	p.figure("metadata", size(r.MetadataBytes), "header, tables and descriptors")
	p.figure("not live", fmt.Sprintf("%.1f %%", 100*r.Fragmentation), "of the pages in use: free, seals, ends of slabs")
	if r.GuardsLost > 0 {
		p.figure("guards lost", p.Paint(unsure, number(r.GuardsLost)), "guard pages that the system refused")
	}
	return p.Err
}

// figure writes a line of figures: a name, a value aligned to the right, and what it means.
func (p *page) figure(name, value, meaning string) {
	p.Printf("  %-12s%s%s   %s\n", name, strings.Repeat(" ", max(0, 11-width(value))), value, p.Paint(dim, meaning))
}
