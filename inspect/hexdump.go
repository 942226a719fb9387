package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// MarkKind says what bytes of a dump are.
type MarkKind string

// The kinds of bytes in a dump.
const (
	MarkData    MarkKind = "data"    // of a live block, as asked for
	MarkSlack   MarkKind = "slack"   // between that and the seal, as it should be
	MarkSeal    MarkKind = "seal"    // as it should be
	MarkDamage  MarkKind = "damage"  // slack or seal that is not as it should be
	MarkFree    MarkKind = "free"    // of a block that is not live
	MarkUnknown MarkKind = "unknown" // of no block: metadata, a free page
	MarkMissing MarkKind = "missing" // not in the snapshot: it was taken without the users' bytes
)

// Mark is a range of bytes of one kind: indexes into the dump's bytes.
type Mark struct {
	From  int      `json:"from"`
	To    int      `json:"to"`
	Kind  MarkKind `json:"kind"`
	Block *Block   `json:"block,omitempty"` // that begins or goes on here
}

// HexdumpReport is a piece of memory with what its bytes are.
type HexdumpReport struct {
	Heap  Summary `json:"heap"`
	Start Address `json:"start"`
	Bytes []byte  `json:"bytes"`
	Marks []Mark  `json:"marks"` // side by side, over all bytes
}

// mostDumpBytes is how much one dump shows at most.
const mostDumpBytes = 1 << 20

// Hexdump shows bytes of memory from address on. With no length it shows the whole block that the address is in, with its
// seal, or 256 bytes where there is no block.
func (h *Heap) Hexdump(address uint64, bytes int) (*HexdumpReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	if address < h.id.Base || address-h.id.Base >= h.id.Reserve {
		return nil, &NoSuchError{"address " + Address(address).String(), fmt.Sprintf("its range is %s to %s", Address(h.id.Base), Address(h.id.Base+h.id.Reserve))}
	}
	if bytes <= 0 {
		bytes = 256
		if s := h.slabAt(address); s != nil {
			if index := (address - s.base) / uint64(s.class.Stride); index < uint64(s.class.Capacity) {
				address, bytes = s.blockAddress(int(index)), int(s.class.Stride)
			}
		}
	}
	bytes = int(min(uint64(bytes), mostDumpBytes, h.id.Base+h.id.Reserve-address))
	r := &HexdumpReport{Heap: h.summary(passCounts{}), Start: Address(address), Bytes: make([]byte, bytes)}
	if err := h.read(r.Bytes, address); err != nil {
		return nil, err
	}
	for at := 0; at < bytes; {
		next, err := h.markFrom(r, at)
		if err != nil {
			return nil, err
		}
		at = next
	}
	if h.blind {
		r.blind(h)
	}
	return r, nil
}

// blind marks what is not in the snapshot: all that is no metadata and no seal.
func (r *HexdumpReport) blind(h *Heap) {
	for i := range r.Marks {
		m := &r.Marks[i]
		if m.Kind != MarkSeal && m.Kind != MarkDamage && uint64(r.Start)+uint64(m.From) >= h.id.GuardPages {
			m.Kind = MarkMissing
		}
	}
}

// markFrom adds the marks of what lies at an index of the dump, and returns the index behind it.
func (h *Heap) markFrom(r *HexdumpReport, at int) (next int, err error) {
	address := uint64(r.Start) + uint64(at)
	if s := h.slabAt(address); s != nil {
		if index := int((address - s.base) / uint64(s.class.Stride)); index < s.capacity() {
			return h.markBlock(r, at, s, index)
		}
	}
	if s := h.spanAt(address); s != nil && address < s.base+s.Pages*layout.PageBytes {
		b, err := h.examineSpan(s)
		if err != nil {
			return 0, err
		}
		f, err := h.diagnoseSpan(s)
		if err != nil {
			return 0, err
		}
		return r.add(at, address-s.base, withDamage(s.segments(uint64(h.id.SealBytes)), f, s.Offset), b), nil
	}
	// To the end of the page: what follows may be a block.
	next = min(len(r.Bytes), at+int(layout.PageBytes-address%layout.PageBytes))
	r.Marks = append(r.Marks, Mark{From: at, To: next, Kind: MarkUnknown})
	return next, nil
}

// segment is a part of a block, up to an offset from its start.
type segment struct {
	end  uint64
	kind MarkKind
}

// segments are the parts of a span, from where its pages begin.
func (s *Span) segments(seal uint64) []segment {
	whole := s.Pages * layout.PageBytes
	end := whole - s.SealBytes(seal)
	return []segment{{min(s.Offset, end), MarkSlack}, {min(s.Offset+s.Requested, end), MarkData}, {end, MarkSlack}, {whole, MarkSeal}}
}

func (h *Heap) markBlock(r *HexdumpReport, at int, s *Slab, index int) (int, error) {
	var c census
	c.count(s, nil)
	data := make([]byte, s.class.Stride)
	if err := h.read(data, s.blockAddress(index)); err != nil {
		return 0, err
	}
	b := h.examineBlock(s, index, c.places[index], c.onTop(index), data)
	size, stride := uint64(s.class.Size), uint64(s.class.Stride)
	f, err := h.diagnose(s, index, &c)
	if err != nil {
		return 0, err
	}
	if f != nil {
		b = f.Block
	}
	ends := []segment{{size, MarkFree}, {stride, MarkSeal}}
	switch {
	case b.Place == PlaceVirgin:
		ends = []segment{{stride, MarkFree}}
	case !h.sealed() && b.Place == PlaceLive:
		ends = []segment{{stride, MarkData}}
	case b.Place == PlaceLive || b.Place == PlaceInFlight:
		used := size
		if b.Requested >= 0 {
			used = uint64(b.Aligned + b.Requested)
		}
		ends = []segment{{used, MarkData}, {size, MarkSlack}, {stride, MarkSeal}}
		if user := uint64(b.Aligned); user >= layout.SealBytes {
			// Before the user's address lies the alignment mark, and before that nothing that anybody asked for.
			ends = append([]segment{{user - layout.SealBytes, MarkUnknown}, {user, MarkSeal}}, ends...)
		}
	}
	return r.add(at, uint64(s.blockSkip(r.Start, at, index)), withDamage(ends, f, 0), b), nil
}

// withDamage puts the damage that a finding tells of, if there is one, over segments. Its block begins at offset in them.
func withDamage(ends []segment, f *Finding, offset uint64) []segment {
	if f == nil || f.Excerpt == nil {
		return ends
	}
	from := offset + uint64(f.Excerpt.Offset+f.Excerpt.From)
	to := from + uint64(f.Excerpt.To-f.Excerpt.From)
	var over []segment
	placed := false
	for _, e := range ends {
		if e.end > from && !placed {
			over, placed = append(over, segment{from, e.kind}, segment{to, MarkDamage}), true
		}
		if e.end <= from || e.end > to {
			over = append(over, e)
		}
	}
	return over
}

// blockSkip is how far into a block the index of a dump lies.
func (s *Slab) blockSkip(start Address, at, index int) int {
	return int(uint64(start) + uint64(at) - s.blockAddress(index))
}

// add marks the segments of a block from an offset in it on, as far as the dump goes.
func (r *HexdumpReport) add(at int, offset uint64, ends []segment, b *Block) int {
	for _, e := range ends {
		if e.end <= offset {
			continue
		}
		next := int(min(uint64(len(r.Bytes)), uint64(at)+e.end-offset))
		if next > at {
			r.Marks = append(r.Marks, Mark{From: at, To: next, Kind: e.kind, Block: b})
		}
		at, offset = next, e.end
	}
	return at
}
