package inspect

import (
	"context"
	"encoding/binary"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// liveBlock is a live block, span or guarded block, with what is known of its allocation.
type liveBlock struct {
	address uint64 // of its first byte
	bytes   uint64 // that were asked for; of a block whose seal doesn't tell, all that it has
	room    uint32 // of its class; 0: it is a span or a guarded block
	record  layout.Record
	why     unrecorded // recorded: the record is true
	large   bool       // a span: sampling leaves none out
}

// unrecorded says why it is not known who allocated a block.
type unrecorded uint8

const (
	recorded       unrecorded = iota
	beforeAudit               // the heap was not audited then
	recordsLost               // there was no room for its slab's records
	stackLost                 // there was no room for its stack, or it has none
	sealUnreadable            // the seal, which would tell, is damaged
	manyUnrecorded            // how many there are
)

// String says why, in words that a report shows.
func (u unrecorded) String() string {
	switch u {
	case beforeAudit:
		return "allocated while the heap was not audited"
	case recordsLost:
		return "there was no room for records of these"
	case stackLost:
		return "there was no room for their stacks"
	case sealUnreadable:
		return "their seals are damaged: check says more"
	}
	return ""
}

// liveReader reads the live blocks of slabs, one slab at a time.
type liveReader struct {
	heap   *Heap
	census census
	buffer []byte
}

// slab calls visit with the index of each live block of a slab, and what it is. A block whose seal says that it was freed since
// the metadata were copied, or that an operation under way has in its hands, is not live.
func (l *liveReader) slab(s *Slab, visit func(index int, b liveBlock)) error {
	h := l.heap
	l.census.count(s, nil)
	if l.census.live == 0 {
		return nil
	}
	var data []byte
	if h.sealed() {
		var err error
		if data, err = l.memory(s.base, s.carved()*int(s.class.Stride)); err != nil {
			return err
		}
	}
	for i, place := range l.census.places[:s.carved()] {
		if place != PlaceLive {
			continue
		}
		seal := layout.Seal(0)
		if h.sealed() {
			seal = layout.Seal(binary.LittleEndian.Uint64(data[i*int(s.class.Stride)+int(s.class.Size):]))
		}
		b := h.liveBlock(s, i, seal)
		if h.sealed() && b.why != sealUnreadable && !seal.State().Live() {
			continue
		}
		visit(i, b)
	}
	return nil
}

// liveBlock is what is known of a block that the lists call live. The seal is not looked at in a plain heap.
func (h *Heap) liveBlock(s *Slab, index int, seal layout.Seal) liveBlock {
	b := liveBlock{address: s.blockAddress(index), bytes: uint64(s.class.Size), room: s.class.Size, why: beforeAudit}
	switch {
	case !h.sealed():
	case !seal.Belongs(b.address, h.id.Secret) || seal.State().Live() && uint32(seal.Size()) > s.class.Size:
		b.why = sealUnreadable
	case seal.State().Live():
		b.bytes = uint64(seal.Size())
		if !seal.State().Recorded() {
			break
		}
		var ok bool
		if b.record, ok = h.record(s, index); ok {
			b.why = recorded
		} else {
			b.why = recordsLost
		}
	}
	return b
}

// memory is a part of the heap's memory: seen where it lies, if the door can show it, else copied.
func (l *liveReader) memory(address uint64, bytes int) ([]byte, error) {
	if v, ok := l.heap.target.(target.Viewer); ok {
		if data := v.View(int64(address-l.heap.id.Base), int64(bytes)); data != nil {
			return data, nil
		}
	}
	if cap(l.buffer) < bytes {
		l.buffer = make([]byte, max(bytes, pieceBytes))
	}
	l.buffer = l.buffer[:bytes]
	return l.buffer, l.heap.read(l.buffer, address)
}

// live reports whether a span is the user's, and what it is then.
func (s *Span) live() (b liveBlock, ok bool) {
	if s.held || s.State != layout.SpanLive {
		return b, false
	}
	b = liveBlock{address: s.base + s.Offset, bytes: min(s.Requested, uint64(s.pages)*layout.PageBytes), why: beforeAudit, large: true}
	if s.Recorded == layout.SpanRecorded {
		b.record, b.why = s.Record, recorded
	}
	return b, true
}

// liveGuard is the guarded block in a slot, if it is live.
func (h *Heap) liveGuard(i int) (b liveBlock, ok bool) {
	s := &h.guards.Slots[i]
	page := h.id.GuardPages + layout.GuardPage(i)
	if s.State != layout.GuardLive || s.Address < page || s.Requested > layout.PageBytes || s.Address-page > layout.PageBytes-s.Requested {
		return b, false
	}
	return liveBlock{address: s.Address, bytes: s.Requested, record: s.Record}, true
}

// eachLive calls visit with every live block.
func (h *Heap) eachLive(ctx context.Context, progress func(done, total int), visit func(b liveBlock)) error {
	l := liveReader{heap: h}
	for n, s := range h.slabs {
		if n%64 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if progress != nil {
				progress(n, len(h.slabs))
			}
		}
		if err := l.slab(s, func(_ int, b liveBlock) { visit(b) }); err != nil {
			return err
		}
	}
	for _, s := range h.spans {
		if b, ok := s.live(); ok {
			visit(b)
		}
	}
	if h.guards != nil {
		for i := range h.guards.Slots {
			if b, ok := h.liveGuard(i); ok {
				visit(b)
			}
		}
	}
	return nil
}
