package inspect

import (
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// Summary says which heap an answer is about, and how large it is. Sizes are in bytes.
type Summary struct {
	Name         string             `json:"name"`
	Owner        target.Description `json:"owner"`
	PID          int                `json:"pid"` // of the process that made it
	Started      time.Time          `json:"started"`
	Mode         string             `json:"mode"`
	Geometry     string             `json:"geometry"`
	Backing      string             `json:"backing"`
	Version      uint32             `json:"format_version"`
	Format       string             `json:"format,omitempty"` // in words, where it is not the one of this program
	Base         Address            `json:"base"`
	ReserveBytes uint64             `json:"reserve_bytes"`
	Arenas       uint64             `json:"arenas"` // that hold memory
	Bins         int                `json:"bins"`
	Slabs        int                `json:"slabs"`
	Spans        int                `json:"spans"`
	LiveBlocks   uint64             `json:"live_blocks"`           // spans included
	Quarantined  uint64             `json:"quarantined,omitempty"` // blocks and spans that were freed and are held back
}

// summary says what the heap is; counts are those of a pass, or zero.
func (h *Heap) summary(counts passCounts) Summary {
	id := &h.id
	s := Summary{
		Name: id.HeapName(), Owner: h.target.Description(), PID: int(id.PID), Started: time.Unix(id.StartedUnix, 0).UTC(), Mode: h.header.Mode.String(),
		Geometry: id.Geometry.String(), Backing: id.Backing.String(), Version: id.Version, Format: h.format.inWords(), Base: Address(id.Base),
		ReserveBytes: uint64(id.ArenasMax) * layout.ArenaBytes, Arenas: h.header.ArenasMapped, Bins: len(h.bins), Slabs: len(h.slabs),
	}
	s.LiveBlocks += h.liveGuarded()
	for _, span := range h.spans {
		if !span.held {
			s.Spans++
			s.LiveBlocks++
		} else {
			s.Quarantined++
		}
	}
	for _, b := range counts.bins {
		s.LiveBlocks += b.live
		s.Quarantined += b.quarantined
	}
	return s
}

// structCount is how many structs a check judges.
func (h *Heap) structCount() int {
	n := 3 + len(h.bins) + len(h.onLists) + len(h.arenas) + len(h.slabs) + len(h.spans) + len(h.journals)
	if h.guards != nil {
		n += 1 + int(h.format.guardSlots.count)
	}
	if h.stacks != nil {
		n += 1 + len(h.stacks.stacks)
	}
	for _, c := range h.caches[:min(len(h.caches), int(min(h.header.CachesReady, h.format.caches)))] {
		n += 1 + len(c.magazines)
	}
	return n
}

// metadataBytes is how much metadata was captured.
func (h *Heap) metadataBytes() uint64 {
	c := h.capture
	return uint64(len(c.headerBytes) + len(c.bins.bytes) + len(c.caches.bytes) + len(c.arenas.bytes) + len(c.pageMap.bytes) + len(c.descriptors.bytes) + len(c.records.bytes) + len(c.journals.bytes) + len(c.stacks.bytes) + len(c.guards.bytes))
}
