package inspect

import (
	"encoding/binary"
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
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
		b.Allocated, b.Freed = h.operations(s.Record, s.state())
	}
	return b
}

// diagnoseSpan looks at the end of a live span: the slack behind what was asked for, and the seal. nil: it is healthy.
func (h *Heap) diagnoseSpan(s *Span) (*Finding, error) {
	most := uint64(s.pages) * layout.PageBytes
	if s.Guarded == layout.SpanGuarded {
		return h.diagnoseEdges(s)
	}
	if !h.sealed() || s.State != layout.SpanLive || s.Pages*layout.PageBytes > most || s.Pages == 0 || s.Requested > s.Pages*layout.PageBytes-layout.SealBytes {
		return nil, nil // its struct is wrong, or changing: there is no telling where its end is
	}
	end := s.Pages*layout.PageBytes - layout.SealBytes
	start := max(s.Requested, end-min(end, layout.PageBytes)) &^ 7 // a healthy span has less than a page of slack
	b := h.describeSpan(s)
	data := make([]byte, end+layout.SealBytes-start)
	if err := h.read(data, s.base+start); err != nil {
		return nil, err
	}
	size := int(end - start)
	used := int(max(s.Requested, start) - start)
	if h.blind {
		used = size // of what lies before the seal nothing is known
	}
	expected := layout.MakeSeal(s.base, h.id.Secret, int(s.Requested), layout.StateLive)
	found := layout.Seal(binary.LittleEndian.Uint64(data[size:]))
	var bytes [layout.SealBytes]byte
	binary.LittleEndian.PutUint64(bytes[:], uint64(expected))
	from, to := damageIn(data, used, size, bytes)
	if from == to {
		return nil, nil
	}
	b.Seal, b.SealWord = SealSlack, Address(found)
	if found != expected {
		b.Seal = SealBroken
	}
	f := &Finding{
		Code: CodeOverflow, Severity: SeverityDamage, Address: b.Address, Block: b, Found: layout.Hex(uint64(found)), Expected: layout.Hex(uint64(expected)),
		Excerpt: h.excerpt(s.base+start, data, from, to, size),
	}
	f.Excerpt.Offset += int(start)
	past := start + uint64(to) - s.Requested
	f.Summary = fmt.Sprintf("overflow by %s, past a live span of %d", amount(int64(past)), s.Requested)
	f.Cause = likelyOverflow(data, from, to, int(s.Requested-start))
	if h.blind {
		f.Summary = fmt.Sprintf("the seal behind a live span of %d is written over, %s of it", s.Requested, amount(int64(to-from)))
		f.Cause = "a write past the span's end; " + missing
	}
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
	before, behind := make([]byte, s.Offset), make([]byte, s.Pages*layout.PageBytes-end)
	if len(behind) > layout.PageBytes {
		behind = behind[:layout.PageBytes] // as long as its struct is right, less than that
	}
	if err := h.read(before, s.base); err != nil {
		return nil, err
	}
	if err := h.read(behind, s.base+end); err != nil {
		return nil, err
	}
	f := &Finding{Severity: SeverityDamage, Address: b.Address, Block: b, Expected: layout.Hex(layout.SlackByte)}
	if h.header.PagesLock.Held() {
		f.Severity = SeverityUnsettled
	}
	if at := firstDamage(before); at >= 0 {
		f.Code = CodeUnderflow
		f.Summary = fmt.Sprintf("underflow by %s, before a live guarded span of %d", amount(int64(len(before)-at)), s.Requested)
		f.Found = fmt.Sprintf("%s at %+d", layout.Hex(uint64(before[at])), at-len(before))
		f.Cause = "a write before the span's start"
		f.Excerpt = excerpt(s.base, before, at, len(before), len(before))
		f.Excerpt.Offset -= int(s.Offset)
		return f, nil
	}
	if at := firstDamage(behind); at >= 0 {
		to := len(behind)
		for behind[to-1] == layout.SlackByte {
			to--
		}
		f.Code = CodeOverflow
		f.Summary = fmt.Sprintf("overflow by %s, past a live guarded span of %d", amount(int64(to)), s.Requested)
		f.Found = fmt.Sprintf("%s at %+d", layout.Hex(uint64(behind[at])), int(s.Requested)+at)
		f.Cause = likelyOverflow(behind, at, to, 0)
		f.Excerpt = excerpt(s.base+end, behind, at, to, len(behind))
		f.Excerpt.Offset += int(s.Requested)
		return f, nil
	}
	return nil, nil
}
