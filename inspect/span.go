package inspect

import (
	"encoding/binary"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// state is the state that the seal of a block in the span's situation would tell.
func (s *Span) state() layout.State {
	if s.held {
		return layout.StateQuarantined
	}
	return layout.StateRecorded
}

// describeSpan is a span as a block; its end is not looked at.
func (h *Heap) describeSpan(s *Span) *Block {
	place := PlaceLive
	if s.held {
		place = PlaceQuarantined
	}
	b := &Block{
		Address: Address(s.base + s.Offset), Place: place, Bin: -1, Slab: s.page, Arena: s.page / layout.PagesPerArena,
		Size: int(s.Pages*layout.PageBytes-s.Offset) - int(s.SealBytes(uint64(h.id.SealBytes))), Guarded: s.Guarded == layout.SpanGuarded, Requested: int(s.Requested), Seal: SealUnknown,
	}
	if s.Recorded == layout.SpanRecorded {
		b.Allocated, b.Freed = h.operations(s.Record, s.state().Poisoned())
	}
	return b
}

// diagnoseSpan looks at the end of a live span: the slack behind what was asked for, and the seal. nil: it is healthy.
func (h *Heap) diagnoseSpan(s *Span) (*Finding, error) {
	if h.lacksSpan(s) {
		return nil, nil
	}
	most := uint64(s.pages) * layout.PageBytes
	if s.Guarded == layout.SpanGuarded {
		return h.diagnoseEdges(s)
	}
	if !h.sealed() || s.State != layout.SpanLive || s.Pages*layout.PageBytes > most || s.Pages == 0 || s.Requested > s.Pages*layout.PageBytes-layout.SealBytes {
		return nil, nil // its struct is wrong, or changing: there is no telling where its end is
	}
	end := s.Pages*layout.PageBytes - layout.SealBytes
	start := s.Requested - min(s.Requested, report.EdgeContext)
	start = max(start, end-min(end, 2*layout.PageBytes)) &^ 7 // a healthy span has less than a page of slack
	b := h.describeSpan(s)
	data := make([]byte, end+layout.SealBytes-start)
	if err := h.read(data, s.base+start); err != nil {
		return nil, err
	}
	tail := report.SpanEnd{Base: s.base, Secret: h.id.Secret, Requested: s.Requested, Start: start, Bytes: data, Missing: h.missing()}
	d, ok := tail.Overrun()
	if !ok {
		return nil, nil
	}
	expected, found := tail.Seal(), layout.Seal(binary.LittleEndian.Uint64(data[end-start:]))
	b.Seal, b.SealWord = SealSlack, Address(found)
	if found != expected {
		b.Seal = SealBroken
	}
	f := &Finding{Code: CodeOverflow, Severity: SeverityDamage, Address: b.Address, Block: b}
	tell(f, d)
	// A Realloc in place writes the new size, then the slack, then the seal: until then the seal is that of the old size.
	if h.header.PagesLock.Held() && found != expected && found.Belongs(s.base, h.id.Secret) && found.State() == layout.StateLive {
		f.Severity = SeverityUnsettled
	}
	return f, nil
}

// diagnoseEdges looks at what a guarded span does not use of its pages; nil: nobody wrote there.
func (h *Heap) diagnoseEdges(s *Span) (*Finding, error) {
	if h.blind {
		return nil, nil
	}
	end := s.Offset + s.Requested
	if s.State != layout.SpanLive || s.Pages > uint64(s.pages) || s.Offset >= layout.PageBytes || end > s.Pages*layout.PageBytes || end < s.Offset {
		return nil, nil // its struct is wrong, or changing
	}
	b := h.describeSpan(s)
	own := min(s.Requested, report.EdgeContext)
	before := make([]byte, s.Offset+own)
	behind := make([]byte, min(own+s.Pages*layout.PageBytes-end, 2*layout.PageBytes)) // as long as its struct is right, less than that
	if err := h.read(before, s.base); err != nil {
		return nil, err
	}
	if err := h.read(behind, s.base+end-own); err != nil {
		return nil, err
	}
	return h.edgeFinding(b, report.Edges{What: "guarded span", Address: uint64(b.Address), Requested: int(s.Requested), Before: before, Behind: behind}), nil
}

// edgeFinding is the finding for what was written around a guarded block or span; nil: nothing was.
func (h *Heap) edgeFinding(b *Block, e report.Edges) *Finding {
	d, ok := e.Damage()
	if !ok {
		return nil
	}
	f := &Finding{Code: CodeOverflow, Severity: SeverityDamage, Address: b.Address, Block: b}
	if d.Before {
		f.Code = CodeUnderflow
	}
	tell(f, d)
	if h.header.PagesLock.Held() {
		f.Severity = SeverityUnsettled
	}
	return f
}
