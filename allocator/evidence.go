package allocator

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// Evidence: what a violation shows of the memory, copied when it was found, and what else is known of the block.

// copied is a copy of bytes of the heap. They must be accessible.
func (h *Heap) copied(address, count uint64) []byte {
	return bytes.Clone(unsafe.Slice((*byte)(h.pointer(address)), count))
}

// sealedBlock is a block of a slab with its seal, as it is now.
func (h *Heap) sealedBlock(start uint64, c *class) report.Sealed {
	return report.Sealed{Address: start, Secret: h.secret, Bytes: h.copied(start, uint64(c.stride))}
}

// spanTail is the end of a live span, as it is now. The pages' lock is held.
func (h *Heap) spanTail(s *layout.Span) report.SpanEnd {
	start := (s.Requested - min(s.Requested, report.EdgeContext)) &^ 7
	return report.SpanEnd{Base: s.Base, Secret: h.secret, Requested: s.Requested, Start: start, Bytes: h.copied(s.Base+start, h.spanEnd(s)+layout.SealBytes-start)}
}

// spanRim is what a live guarded span does not use of its pages, as it is now. The pages' lock is held.
func (h *Heap) spanRim(s *layout.Span) report.Edges {
	own := min(s.Requested, report.EdgeContext)
	end := s.Offset + s.Requested
	return report.Edges{
		What: "guarded span", Address: s.User(), Requested: int(s.Requested),
		Before: h.copied(s.Base, s.Offset+own), Behind: h.copied(s.Base+end-own, s.Pages*layout.PageBytes-end+own),
	}
}

// guardRim is what a live guarded block does not use of its page, as it is now. The pages' lock is held.
func (h *Heap) guardRim(s *layout.GuardSlot, page uint64) report.Edges {
	own := min(s.Requested, report.EdgeContext)
	end := s.Address + s.Requested
	return report.Edges{
		What: "guarded block", Address: s.Address, Requested: int(s.Requested),
		Before: h.copied(page, s.Address-page+own), Behind: h.copied(end-own, page+layout.PageBytes-end+own),
	}
}

// complete fills in what a violation is reported with: who had the block, what it was, what most likely led to it, what to do
// next. No lock is held.
func (h *Heap) complete(v *Violation) {
	h.remember(v)
	if v.Block != 0 {
		v.Found = h.describe(v)
	}
	if v.Likely == "" {
		v.Likely = v.likely()
	}
	v.Next = h.next(v)
}

// describe is the block that a violation is about. No lock is held.
func (h *Heap) describe(v *Violation) *report.Block {
	b := &report.Block{Address: report.Address(v.Block), Place: report.PlaceLive, Bin: noBin, Slab: -1, Arena: -1, Requested: v.Size, Seal: report.SealUnknown}
	live := v.Kind == Overflow || v.Kind == Underflow || v.Kind == SizeMismatch // what it was before the violation took it out of use
	h.lockPages()                                                               // slabs and spans stay what they are
	defer h.unlockPages()
	if h.inGuardPages(v.Block) {
		s, page := h.guardSlotOf(v.Block)
		b.Index, b.Size, b.Guarded, b.Seal = int(page-h.guardPages)/(2*layout.PageBytes), int(s.Requested), true, report.SealNone
		if s.State == layout.GuardFreed && !live {
			b.Place = report.PlaceQuarantined
		}
		return b
	}
	offset := v.Block - h.data
	if offset >= h.dataUsed.Load() {
		return nil
	}
	b.Slab, b.Arena = int(offset/layout.PageBytes), int(offset/layout.ArenaBytes)
	switch entry := *h.pageEntry(offset); entry.Kind() {
	case layout.PageSlab:
		h.describeBlock(b, v, live)
	case layout.PageSpan:
		if s := at[layout.Span](h, h.header().Identity.Descriptors+entry.Descriptor()); v.Block-s.Base < s.Pages*layout.PageBytes {
			b.Size, b.Guarded = int(h.spanEnd(s)-s.Offset), s.Guarded == layout.SpanGuarded
			if s.State == layout.SpanQuarantined {
				b.Place = report.PlaceQuarantined
			}
		}
	default:
		b.Place = report.PlaceFree // a span that was freed
	}
	b.Seal = v.sealState(b)
	return b
}

// describeBlock fills in what is known of a block of a slab. The pages' lock is held.
func (h *Heap) describeBlock(b *report.Block, v *Violation, live bool) {
	s, index := h.slabAndIndex(v.Block)
	c := &h.class[uint8(s.Bin)]
	b.Bin, b.Slab, b.Index, b.Size = int(s.Bin), int((s.Base-h.data)/layout.PageBytes), int(index), int(c.size)
	if v.damage != nil && v.damage.Requested >= 0 {
		b.Requested, b.Aligned = v.damage.Requested, v.damage.Aligned
	}
	if live {
		return
	}
	switch link := *h.link(s, index); {
	case link == layout.LinkVirgin:
		b.Place = report.PlaceVirgin
	case link == layout.LinkWithdrawn && v.Kind == InvalidFree:
		b.Place = report.PlaceWithdrawn
	case !h.sealed:
		if v.Kind == DoubleFree || v.Kind == UseAfterFree {
			b.Place = report.PlaceFree
		}
	default:
		seal := layout.Seal(*sealAt(h.pointer(v.Block), c.size))
		switch belongs := seal.Belongs(v.Block, h.secret); {
		case belongs && seal.State().Live():
		case belongs && seal.State() == layout.StateQuarantined:
			b.Place = report.PlaceQuarantined
		default:
			b.Place = report.PlaceFree
		}
	}
}

// sealState is what the damage that a violation shows says of the block's seal.
func (v *Violation) sealState(b *report.Block) report.SealState {
	switch e := v.Bytes; {
	case b.Guarded:
		return report.SealNone
	case e == nil:
		return report.SealUnknown
	case v.damage.Before:
		return report.SealIntact
	case e.To > e.Seal:
		return report.SealBroken
	case v.Kind == WriteAfterFree:
		return report.SealPoison
	}
	return report.SealSlack
}

// next is what to run to learn more.
func (h *Heap) next(v *Violation) (next []report.Command) {
	about := v.Block
	if about == 0 {
		about = v.Address
	}
	target, why := fmt.Sprint(os.Getpid()), "the block as it is now"
	switch {
	case h.memory.backing == BackingFile:
		target = h.options.Path
	case h.options.OnViolation == nil && h.options.Policy == PolicyPanic:
		why = "while the process is there"
	}
	if about-h.baseAddress < h.memory.bytes {
		next = append(next, report.Command{Line: fmt.Sprintf("glassheap whatis %s %s", target, layout.Hex(about)), Why: why})
	}
	if v.Allocated == nil && h.sealed && !h.auditing.Load() {
		program, err := os.Executable()
		if err != nil {
			program = "PROGRAM"
		}
		next = append(next, report.Command{Line: "GLASSHEAP=mode=audit " + filepath.Base(program), Why: "again, with call stacks"})
	}
	return next
}
