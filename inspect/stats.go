package inspect

import (
	"context"
	"syscall"

	"github.com/glassheap/glassheap/allocator/layout"
)

// StatsReport is the heap in figures. Sizes are in bytes.
type StatsReport struct {
	Heap            Summary `json:"heap"`
	ReserveBytes    uint64  `json:"reserve_bytes"`                // address space for blocks
	ReserveShortage uint64  `json:"reserve_shortage"`             // that was asked for and refused
	MappedBytes     uint64  `json:"mapped_bytes"`                 // of arenas that hold memory
	InUseBytes      uint64  `json:"in_use_bytes"`                 // pages of slabs, spans and guards
	RetainedBytes   uint64  `json:"retained_bytes,omitempty"`     // free pages that still hold memory
	LimitBytes      uint64  `json:"limit_bytes,omitempty"`        // what the bytes in use and the retained ones may come to
	HugeBytes       uint64  `json:"huge_bytes,omitempty"`         // of the mapped arenas, on huge pages
	HugeRefused     string  `json:"huge_refused,omitempty"`       // why the system refused one
	MetadataBytes   uint64  `json:"metadata_bytes"`               // that are in use
	Allocs          uint64  `json:"allocs"`                       // blocks handed out so far, spans excepted
	Frees           uint64  `json:"frees"`                        // blocks given back so far, spans excepted
	LiveBlocks      uint64  `json:"live_blocks"`                  // spans and guarded blocks included
	LiveBytes       uint64  `json:"live_bytes"`                   // that they can hold; what was asked for is at most that
	SpanBytes       uint64  `json:"span_bytes"`                   // of these, in spans, as asked for
	Guarded         uint64  `json:"guarded_blocks,omitempty"`     // of the live blocks, on pages of the guard pool
	GuardedBytes    uint64  `json:"guarded_bytes,omitempty"`      // of the live bytes, in these, as asked for
	CachedBlocks    uint64  `json:"cached_blocks"`                // in magazines and depots
	FreeBlocks      uint64  `json:"free_blocks"`                  // on the slabs' free lists
	VirginBlocks    uint64  `json:"virgin_blocks"`                // of slabs, never handed out
	Withdrawn       uint64  `json:"withdrawn_blocks"`             // found damaged, out of use
	Quarantined     uint64  `json:"quarantined_blocks,omitempty"` // freed and held back, spans included
	Slabs           int     `json:"slabs"`
	Spans           int     `json:"spans"`
	Caches          uint64  `json:"caches"`
	GuardsLost      uint64  `json:"guards_lost"`   // guard pages that the system refused
	Fragmentation   float64 `json:"fragmentation"` // part of the pages in use that holds no live block's room
}

// Stats counts.
func (h *Heap) Stats(ctx context.Context) (*StatsReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	result, err := pass{}.run(ctx, h)
	if err != nil {
		return nil, err
	}
	return h.statsOf(&result), nil
}

// statsOf counts what a pass found.
func (h *Heap) statsOf(result *passResult) *StatsReport {
	head := &h.header
	r := &StatsReport{
		Heap: h.summary(result.counts), ReserveBytes: uint64(h.id.ArenasMax) * layout.ArenaBytes, ReserveShortage: head.ReserveShortage,
		MappedBytes: head.ArenasMapped * layout.ArenaBytes, InUseBytes: head.PagesInUse * layout.PageBytes, MetadataBytes: h.metadataBytes(),
		Slabs: len(h.slabs), Caches: head.CachesReady, GuardsLost: head.SpanGuardsLost,
	}
	r.LimitBytes, r.HugeBytes = head.MemoryLimit, head.HugeBytes
	if head.HugePagesRefused != 0 {
		r.HugeRefused = syscall.Errno(head.HugePagesRefused).Error()
	}
	for _, a := range h.arenas {
		r.RetainedBytes += uint64(min(a.DirtyPages, layout.PagesPerArena)) * layout.PageBytes
	}
	r.Spans, r.LiveBlocks, r.Quarantined = r.Heap.Spans, uint64(r.Heap.Spans), r.Heap.Quarantined
	for i, b := range h.bins {
		n, class := result.counts.bins[i], h.classes[i]
		r.LiveBlocks += n.live
		r.LiveBytes += n.live * uint64(class.Size)
		r.CachedBlocks += n.cached
		r.FreeBlocks += n.free
		r.Withdrawn += n.withdrawn
		r.Frees += n.quarantined
		blocks := uint64(len(b.slabs)) * uint64(class.Capacity)
		r.VirginBlocks += blocks - min(blocks, n.carved)
		for _, m := range b.depot {
			r.CachedBlocks += uint64(m.count())
		}
	}
	for bin := range h.bins {
		allocs, frees := h.traffic(bin)
		r.Allocs += allocs
		r.Frees += frees
	}
	if h.guards != nil { // the magazines count every allocation that was to be guarded as one that was freed at once
		r.Allocs -= min(r.Allocs, h.guards.Missed)
		r.Frees -= min(r.Frees, h.guards.Missed+h.guards.live)
	}
	for _, s := range h.spans {
		if !s.held {
			r.SpanBytes += s.Requested
		}
	}
	r.LiveBytes += r.SpanBytes
	if r.InUseBytes > 0 { // the guard pool's pages are not among them
		r.Fragmentation = 1 - min(1, float64(r.LiveBytes)/float64(r.InUseBytes))
	}
	if h.guards != nil {
		r.Guarded, r.GuardedBytes = h.guards.live, h.guards.liveBytes
		r.LiveBlocks += r.Guarded
		r.LiveBytes += r.GuardedBytes
	}
	return r
}

// traffic is how many blocks of a bin were handed out and given back so far, as the Ps' magazines count.
func (h *Heap) traffic(bin int) (allocs, frees uint64) {
	for _, c := range h.caches {
		if bin >= len(c.magazines) {
			continue
		}
		if m := c.magazines[bin]; m != nil {
			if a, f, ok := m.Tally.Totals(m.Inflow); ok {
				allocs += a
				frees += f
			}
		}
	}
	return allocs, frees
}
