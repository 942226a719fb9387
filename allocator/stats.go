package allocator

import (
	"syscall"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Stats is what a heap counts. While other goroutines use the heap, the figures are from slightly different moments.
type Stats struct {
	Mode            Mode
	ReserveBytes    uint64 // address space for blocks
	ReserveShortage uint64 // bytes of Options.ReserveBytes that the system refused
	MappedBytes     uint64 // arenas that hold memory
	InUseBytes      uint64 // pages of slabs, spans and their guards
	RetainedBytes   uint64 // free pages that still hold memory
	LimitBytes      uint64 // what InUseBytes and RetainedBytes may come to, see SetLimit; 0: no limit
	HugeBytes       uint64 // of the mapped arenas, on huge pages
	HugeRefused     error  // why the system refused the last huge page that it did not grant; nil: it granted all
	MetadataBytes   uint64 // descriptors, tables and caches that are in use
	Allocs          uint64 // blocks handed out so far, spans excepted
	Frees           uint64 // blocks given back so far, spans excepted
	LiveBlocks      uint64 // blocks in the user's hands, spans and guarded blocks included
	CachedBlocks    uint64 // free blocks in the Ps' magazines and in the depots
	Quarantined     uint64 // blocks that were freed in ModeAudit and are held back, spans included
	Slabs           uint64
	Spans           uint64 // large allocations
	Withdrawn       uint64 // blocks that were found damaged and are out of use
	Violations      uint64 // violations that Policy or OnViolation was told of so far
	GuardsLost      uint64 // spans whose guard page the system refused
}

// Stats counts. It takes the bins' locks one after the other.
func (h *Heap) Stats() Stats {
	h.lockPages()
	head := *h.header()
	tables := h.descriptorsReady + h.arenasReady + h.pageMapReady
	retained := uint64(h.dirtyPages) * layout.PageBytes
	guarded, missed := uint64(0), uint64(0)
	if h.guardsReady {
		guarded, missed = h.guardPool().Live, h.guardPool().Missed
	}
	h.unlockPages()
	// The heap's own counts: those in its memory may have been written over, and lead to where none was made.
	caches, journals := int(h.cachesReady.Load()), int(h.journalsReady.Load())
	s := Stats{
		Mode:         h.Mode(),
		ReserveBytes: uint64(head.Identity.ArenasMax) * layout.ArenaBytes, ReserveShortage: head.ReserveShortage,
		MappedBytes: head.ArenasMapped * layout.ArenaBytes, InUseBytes: head.PagesInUse * layout.PageBytes,
		RetainedBytes: retained, LimitBytes: head.MemoryLimit, HugeBytes: head.HugeBytes,
		MetadataBytes: layout.HeaderBytes + layout.MaxBins*layout.BinBytes + uint64(caches)*layout.CacheBytes + tables,
		Spans:         head.SpansLive, GuardsLost: head.SpanGuardsLost, LiveBlocks: head.SpansLive + guarded, Quarantined: head.SpansQuarantined, Violations: h.violations.Load(),
	}
	if head.HugePagesRefused != 0 {
		s.HugeRefused = syscall.Errno(head.HugePagesRefused)
	}
	var quarantined [layout.MaxBins]int64 // by bin
	for p := range journals {
		j := h.journal(p)
		held, ok := j.Held()
		if !ok {
			continue // its P let blocks out between the reading of the one count and of the other
		}
		for i := range held {
			if offset := j.Quarantine[(j.QuarantineOut+i)%layout.QuarantineBlocks] - h.data; offset < h.dataUsed.Load() {
				quarantined[uint8(h.pageEntry(offset).Bin())]++
			}
		}
		s.Quarantined += held
		s.Frees += held
	}
	for i := range int(head.Identity.BinCount) {
		b := h.bin(i)
		p := h.lockBin(b)
		bin := *b
		h.unlockBin(b, p)
		s.Slabs += uint64(bin.SlabCount)
		s.Withdrawn += uint64(bin.WithdrawnCount)
		s.CachedBlocks += bin.DepotBlocks
		cached := uint64(0)
		for c := range caches {
			m := h.magazine(c, uint8(i))
			tally := m.Tally
			allocs, frees, _ := tally.Totals(m.Inflow)
			s.Allocs += allocs
			s.Frees += frees
			cached += uint64(tally.Count())
		}
		s.CachedBlocks += cached
		s.LiveBlocks += uint64(max(bin.LentBlocks-int64(cached)-quarantined[i], 0))
	}
	// The magazines count every allocation that was to be guarded as one that was freed at once.
	s.Allocs -= missed
	s.Frees -= missed + guarded
	return s
}

// MappedBytes is Stats().MappedBytes alone, at the price of one lock.
func (h *Heap) MappedBytes() uint64 {
	h.lockPages()
	defer h.unlockPages()
	return h.header().ArenasMapped * layout.ArenaBytes
}
