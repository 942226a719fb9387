package inspect

import (
	"github.com/glassheap/glassheap/allocator/layout"
)

// HistoryReport is everything that is known of the block at an address.
type HistoryReport struct {
	Heap    Summary       `json:"heap"`
	Address Address       `json:"address"`
	Now     *WhatisReport `json:"now"`    // what is there now
	Events  []LogEvent    `json:"events"` // of blocks that were there, newest first, as far as the logs reach back
	Notes   []string      `json:"notes,omitempty"`
}

// History tells what is at an address now, who allocated it, who freed it, and what the logs remember of blocks there.
func (h *Heap) History(address uint64) (*HistoryReport, error) {
	now, err := h.Whatis(address)
	if err != nil {
		return nil, err
	}
	r := &HistoryReport{Heap: now.Heap, Address: Address(address), Now: now, Notes: h.logNotes()}
	var log LogReport
	r.Events = h.logged(h.events(&log, func(e layout.Event) bool { return holds(e, address) || blockHolds(now.Block, e.Address) }))
	if log.Kept > 0 || now.Block.HasStack() {
		r.Notes = append(r.Notes, h.Notes()...)
	}
	now.Heap, now.Notes = Summary{}, nil // they are said once
	return r, nil
}

// blockHolds reports whether an address lies in a block.
func blockHolds(b *Block, address uint64) bool {
	return b != nil && (address == uint64(b.Address) || address-uint64(b.Address) < uint64(max(b.Size, 0)))
}
