package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// diagnose looks closely at a block whose seal did not fit its place, and says what happened to it; nil when it is healthy.
// c is the census of its slab.
func (h *Heap) diagnose(s *Slab, index int, c *census) (*Finding, error) {
	if index == slabTail {
		return h.diagnoseTail(s)
	}
	if h.lacksBlock(s, index) {
		return nil, nil
	}
	own := make([]byte, s.class.Stride)
	if err := h.read(own, s.blockAddress(index)); err != nil {
		return nil, err
	}
	b := h.examineBlock(s, index, c.places[index], c.onTop(index), own)
	f := Finding{Severity: SeverityDamage, Address: b.Address, Block: b}
	// Seals are written whole and slack before them: an operation under way can leave a seal that the lists don't agree with,
	// but never one that is broken.
	if b.Seal == SealWrong && (h.bins[s.bin].Lock.Held() || h.header.PagesLock.Held()) {
		f.Severity = SeverityUnsettled
	}
	switch {
	case b.Seal == SealIntact:
		return h.recordFinding(s, b, layout.Seal(b.SealWord).State()), nil
	case b.Seal == SealNone || b.Place == PlaceWithdrawn || b.Place == PlaceLost || b.Place == PlaceVirgin:
		return nil, nil
	case b.Seal == SealWrong && b.Place == PlaceLive:
		f.Code = CodeLostBlock
		f.Summary = "a free block is on no list"
		f.Found, f.Expected = "sealed as free", "live, or on a free list"
		f.Cause = "the list or the magazine that had it was written over by something that is not the heap"
	case b.Seal == SealWrong:
		f.Code = CodeDoubleListed
		f.Summary = fmt.Sprintf("a block that is sealed as live is %s too", b.Place)
		f.Found, f.Expected = "sealed as live", "sealed as free"
		f.Cause = "it was freed twice at the same time by two goroutines, or a list of free blocks was written over"
	case b.Seal == SealMark:
		h.diagnoseMark(&f, s, index, own)
	case b.Place == PlaceLive:
		h.diagnoseLive(&f, s, index, own)
	default:
		h.diagnoseFree(&f, s, index, own, c)
	}
	return &f, nil
}

// diagnoseLive says how far and from where a live block's seal or slack was written over.
func (h *Heap) diagnoseLive(f *Finding, s *Slab, index int, own []byte) {
	b := f.Block
	block := h.sealedBlock(s, index, own)
	d := block.Overrun(b.Seal == SealSlack)
	f.Code = CodeOverflow
	if d.Requested >= 0 {
		b.Requested, b.Aligned = d.Requested, d.Aligned
	}
	tell(f, d)
}

// diagnoseMark says how the mark before the user's part of a live block was written over.
func (h *Heap) diagnoseMark(f *Finding, s *Slab, index int, own []byte) {
	b := f.Block
	d := h.sealedBlock(s, index, own).MarkLost()
	f.Code = CodeUnderflow
	b.Requested, b.Aligned = d.Requested, d.Aligned
	tell(f, d)
}

// sealedBlock is a block with the bytes that were read of it.
func (h *Heap) sealedBlock(s *Slab, index int, bytes []byte) report.Sealed {
	return report.Sealed{Address: s.blockAddress(index), Secret: h.id.Secret, Bytes: bytes, Missing: h.missing()}
}

// tell fills in what a finding says of damage.
func tell(f *Finding, d report.Damage) {
	f.Summary, f.Cause, f.Found, f.Expected, f.Excerpt = d.Summary, d.Cause, d.Found, d.Expected, d.Excerpt
}

// diagnoseFree says what happened to a free block whose seal is broken, or whose poison is written over.
func (h *Heap) diagnoseFree(f *Finding, s *Slab, index int, own []byte, c *census) {
	f.Code = CodeWriteAfterFree
	block := h.sealedBlock(s, index, own)
	if f.Block.Seal == SealPoison {
		if d, ok := block.Poisoned(); ok {
			tell(f, d)
		}
		return
	}
	tell(f, block.Freed())
	if index > 0 {
		before := make([]byte, s.class.Stride)
		if h.read(before, s.blockAddress(index-1)) == nil {
			if b := h.examineBlock(s, index-1, c.places[index-1], false, before); b.Seal == SealBroken || b.Seal == SealSlack {
				f.Cause = fmt.Sprintf("the write that ran over the end of the block before it, at %s", b.Address)
			}
		}
	}
}

// diagnoseTail says what was written behind the last block of a slab, which nobody should reach: nil: nothing.
func (h *Heap) diagnoseTail(s *Slab) (*Finding, error) {
	if h.blind {
		return nil, nil
	}
	end := s.capacity() * int(s.class.Stride)
	data := make([]byte, max(0, s.pages*layout.PageBytes-end))
	if h.lacks(s.base+uint64(end), uint64(len(data))) {
		return nil, nil
	}
	if err := h.read(data, s.base+uint64(end)); err != nil {
		return nil, err
	}
	d, from, to, ok := report.SlabTail(s.base+uint64(end), data)
	if !ok {
		return nil, nil
	}
	f := &Finding{Code: CodeOverflow, Severity: SeverityDamage, Address: s.Address, Struct: s.name()}
	tell(f, d)
	if next := h.slabAt(s.base + uint64(s.pages)*layout.PageBytes); to == len(data) && next != nil {
		f.Code = CodeUnderflow
		f.Summary = fmt.Sprintf("underflow by %s, before the first block of a slab", report.Bytes(to-from))
		f.Cause = "a write before the block's start"
		f.Block = h.describeBlock(next, 0, PlaceLive)
		f.Address = f.Block.Address
	}
	if h.bins[s.bin].Lock.Held() || h.header.PagesLock.Held() {
		f.Severity = SeverityUnsettled
	}
	return f, nil
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
