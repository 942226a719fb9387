package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// operation is nil when nothing is known of it.
func (h *Heap) operation(goroutine, sequence uint64, ref layout.StackRef) *Operation {
	if sequence == 0 && ref == 0 {
		return nil
	}
	o := &Operation{Goroutine: goroutine, Sequence: sequence, Stack: ref}
	if h.stacks != nil {
		addresses := h.stacks.stacks[ref].addresses
		for _, a := range addresses {
			o.Addresses = append(o.Addresses, Address(a))
		}
		o.Frames = h.program.framesOf(addresses)
	}
	return o
}

// wasFreed reports whether the second half of a block's record is true too.
func (h *Heap) wasFreed(b *Block, r layout.Record) bool {
	seal := layout.Seal(b.SealWord)
	if !seal.Belongs(uint64(b.Address), h.id.Secret) {
		return r.FreeSequence != 0
	}
	return seal.State().Poisoned()
}

// operations are who allocated and who freed a block whose record is true.
func (h *Heap) operations(r layout.Record, wasFreed bool) (allocated, freed *Operation) {
	allocated = h.operation(r.AllocGoroutine, r.AllocSequence, r.AllocStack)
	if wasFreed {
		freed = h.operation(r.FreeGoroutine, r.FreeSequence, r.FreeStack)
	}
	return allocated, freed
}

// recordAddress is where the record of a slab's block lies.
func (h *Heap) recordAddress(s *Slab, index int) uint64 {
	return uint64(s.Records) + h.format.records.bytes + uint64(index)*h.format.record.bytes
}

// record is the record of a slab's block; ok is false when the slab has none.
func (h *Heap) record(s *Slab, index int) (r layout.Record, ok bool) {
	switch {
	case !s.recorded:
		return r, false
	case h.format.record.moves == nil: // as many as there are blocks: the copy without a call
		return get[layout.Record](h.capture.records, h.recordAddress(s, index))
	}
	return h.format.record.get(h.capture.records, h.recordAddress(s, index))
}

// judgeRecord judges the record of a block whose seal says that it is true.
func (h *Heap) judgeRecord(s *Slab, index int, state layout.State) []layout.Verdict {
	r, ok := h.record(s, index)
	if !ok {
		return nil // the slab's own verdict says why
	}
	var j layout.Judge
	r.Judge(&j, layout.RecordFacts{State: state, Stored: h.stored})
	return j.Verdicts
}

// placeRecords finds the records that a slab's descriptor names: an active one's or a retired one's.
func (h *Heap) placeRecords(of named, address Address, bin int, ref layout.Ref[layout.Records]) bool {
	if ref == 0 {
		return false
	}
	held := h.bins[bin].Lock.Held() || h.header.PagesLock.Held()
	capacity := h.classes[bin].Capacity
	r := h.capture.records
	head, ok := h.format.records.get(r, uint64(ref))
	if !ok || (uint64(ref)-r.start)%layout.DescriptorGrain != 0 || uint64(ref)-r.start+h.format.recordArrayBytes(capacity) > uint64(len(r.bytes)) {
		h.problems.add(held, func() Finding {
			return fromVerdict(CodeMetadata, of.name(), uint64(address), layout.Verdict{
				Field: "Records", Found: layout.Hex(uint64(ref)), Expected: "0 or an address below Header.RecordsTop", Why: "records lie whole in their part", UnderWay: held,
			})
		})
		return false
	}
	h.recordBytes += h.format.recordArrayBytes(capacity)
	facts := layout.RecordsFacts{Slab: layout.Ref[layout.Slab](address), Bin: uint32(bin), Capacity: capacity, Held: held}
	h.judged("records at "+Address(ref).String(), "Records", Address(ref), func(j *layout.Judge) { head.Judge(j, facts) })
	return head.Slab == facts.Slab
}

// placeAllRecords finds the records of every slab that is in use. Those of retired slabs were found along their lists.
func (h *Heap) placeAllRecords() {
	for _, s := range h.slabs {
		s.recorded = h.placeRecords(s, s.Address, s.bin, s.Records)
	}
}

// recordFinding is the finding for a block whose record is damaged; nil: it is not.
func (h *Heap) recordFinding(s *Slab, b *Block, state layout.State) *Finding {
	verdicts := h.judgeRecord(s, b.Index, state)
	if len(verdicts) == 0 {
		return nil
	}
	f := fromVerdict(CodeMetadata, fmt.Sprintf("Record of block %d of slab %d", b.Index, s.page), h.recordAddress(s, b.Index), verdicts[0])
	f.Block = b
	return &f
}
