package inspect

import (
	"encoding/binary"
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// describeSpan is a span as a block; its end is not looked at.
func (h *Heap) describeSpan(s *Span) *Block {
	return &Block{
		Address: Address(s.base), Place: PlaceLive, Bin: -1, Slab: s.page, Arena: s.page / layout.PagesPerArena,
		Size: int(s.Pages*layout.PageBytes) - int(h.id.SealBytes), Requested: int(s.Requested), Seal: SealUnknown,
	}
}

// diagnoseSpan looks at the end of a live span: the slack behind what was asked for, and the seal. nil: it is healthy.
func (h *Heap) diagnoseSpan(s *Span) (*Finding, error) {
	most := uint64(s.pages) * layout.PageBytes
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
	expected := layout.MakeSeal(s.base, h.id.Secret, int(s.Requested), layout.StateLive)
	found := layout.Seal(binary.LittleEndian.Uint64(data[size:]))
	var bytes [layout.SealBytes]byte
	binary.LittleEndian.PutUint64(bytes[:], uint64(expected))
	from, to := damageIn(data, int(max(s.Requested, start)-start), size, bytes)
	if from == to {
		return nil, nil
	}
	b.Seal, b.SealWord = SealSlack, Address(found)
	if found != expected {
		b.Seal = SealBroken
	}
	f := &Finding{
		Code: CodeOverflow, Severity: SeverityDamage, Address: b.Address, Block: b, Found: layout.Hex(uint64(found)), Expected: layout.Hex(uint64(expected)),
		Excerpt: excerpt(s.base+start, data, from, to, size),
	}
	f.Excerpt.Offset += int(start)
	past := start + uint64(to) - s.Requested
	f.Summary = fmt.Sprintf("overflow by %s, past a live span of %d", amount(int64(past)), s.Requested)
	f.Cause = likelyOverflow(data, from, to, int(s.Requested-start))
	// A Realloc in place writes the new size, then the slack, then the seal: until then the seal is that of the old size.
	if h.header.PagesLock.Held() && found != expected && found.Belongs(s.base, h.id.Secret) && found.State() == layout.StateLive {
		f.Severity = SeverityUnsettled
	}
	return f, nil
}
