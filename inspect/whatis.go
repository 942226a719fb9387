package inspect

import (
	"fmt"
	"slices"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// WhatisReport says what an address belongs to.
type WhatisReport struct {
	Heap     Summary  `json:"heap,omitzero"` // zero in a report that has it already
	Address  Address  `json:"address"`
	Kind     string   `json:"kind"`            // block, seal, span, guard, slab tail, free page, metadata, unused, outside
	Sentence string   `json:"sentence"`        // the answer in words
	Offset   int64    `json:"offset"`          // of the address in what it belongs to, in bytes
	Block    *Block   `json:"block,omitempty"` // the block, or the span
	Before   *Block   `json:"before,omitempty"`
	After    *Block   `json:"after,omitempty"`
	Struct   string   `json:"struct,omitempty"` // for metadata
	Field    string   `json:"field,omitempty"`
	Finding  *Finding `json:"finding,omitempty"` // what is wrong with the block
	Notes    []string `json:"notes,omitempty"`
}

// Whatis says what the byte at address belongs to. Every address has an answer.
func (h *Heap) Whatis(address uint64) (*WhatisReport, error) {
	r, err := h.whatis(address)
	if r != nil && r.Block.HasStack() {
		r.Notes = h.Notes()
	}
	if r != nil && r.Block != nil && h.blind {
		r.Notes = append(r.Notes, missing)
	}
	return r, err
}

func (h *Heap) whatis(address uint64) (*WhatisReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	r := &WhatisReport{Heap: h.summary(passCounts{}), Address: Address(address)}
	id := &h.id
	switch {
	case address < id.Base || address-id.Base >= id.Reserve:
		r.Kind = "outside"
		r.Sentence = fmt.Sprintf("outside of this heap, whose range is %s to %s", Address(id.Base), Address(id.Base+id.Reserve))
		return r, nil
	case h.inGuardPages(address):
		return r, h.whatisGuarded(r, address)
	case address < id.Data:
		h.whatisMetadata(r, address)
		return r, nil
	}
	if s := h.slabAt(address); s != nil {
		return r, h.whatisBlock(r, s, address)
	}
	if s := h.spanAt(address); s != nil {
		return r, h.whatisSpan(r, s, address)
	}
	page := (address - id.Data) / layout.PageBytes
	if page >= uint64(len(h.slabOfPage)) {
		r.Kind = "unused"
		r.Sentence = fmt.Sprintf("in the part of the reserve that was never used: the heap has %d arenas, this would be arena %d", h.header.ArenasUsed, page/layout.PagesPerArena)
		return r, nil
	}
	a := h.arenas[page/layout.PagesPerArena]
	r.Kind, r.Offset = "free page", int64(address%layout.PageBytes)
	r.Sentence = fmt.Sprintf("in page %d of arena %d, which is %s: no slab and no span is here now", page%layout.PagesPerArena, page/layout.PagesPerArena, h.pageEntry(int(page)).Kind())
	if a.State != layout.ArenaPages {
		r.Sentence = fmt.Sprintf("in arena %d, which is %s: nothing is here now", page/layout.PagesPerArena, a.State)
	}
	return r, nil
}

func (h *Heap) whatisBlock(r *WhatisReport, s *Slab, address uint64) error {
	offset := address - s.base
	index := int(offset / uint64(s.class.Stride))
	if index >= s.capacity() {
		r.Kind, r.Offset = "slab tail", int64(offset)-int64(s.capacity())*int64(s.class.Stride)
		r.Sentence = fmt.Sprintf("in the %s at the end of slab %d (bin %d) that no block fits into", report.Bytes(int64(s.pages*layout.PageBytes-s.capacity()*int(s.class.Stride))), s.page, s.bin)
		return nil
	}
	var c census
	c.count(s, nil)
	blocks := make([]*Block, s.capacity())
	for _, i := range []int{index - 1, index, index + 1} {
		if i < 0 || i >= s.capacity() {
			continue
		}
		data := make([]byte, s.class.Stride)
		if err := h.read(data, s.blockAddress(i)); err != nil {
			return err
		}
		blocks[i] = h.examineBlock(s, i, c.places[i], c.onTop(i), data)
	}
	b := blocks[index]
	r.Kind, r.Block, r.Offset = "block", b, int64(address-uint64(b.Address))
	if index > 0 {
		r.Before = blocks[index-1]
	}
	if index+1 < s.capacity() {
		r.After = blocks[index+1]
	}
	if int(r.Offset) >= b.Size && h.sealed() {
		r.Kind = "seal"
	}
	f, err := h.diagnose(s, index, &c)
	if err != nil {
		return err
	}
	r.Finding = f
	if f != nil && f.Block.Requested >= 0 {
		b.Requested, b.Aligned = f.Block.Requested, f.Block.Aligned
	}
	r.Sentence = fmt.Sprintf("%s, bin %d, slab %d, block %d, arena %d", position(b, r.Offset), b.Bin, b.Slab, b.Index, b.Arena)
	return nil
}

// position says where in a block the byte at offset is.
func position(b *Block, offset int64) string {
	end := int64(b.Size)
	used := end
	if b.Requested >= 0 {
		used = int64(b.Aligned + b.Requested)
	}
	if offset == int64(b.Aligned) && used > offset {
		return "the start of " + blockInWords(b) // whose address was asked about
	}
	what := fmt.Sprintf("%s (%s)", blockInWords(b), b.Address)
	switch {
	case offset < int64(b.Aligned):
		return fmt.Sprintf("%s before the user's part of %s", report.Bytes(int64(b.Aligned)-offset), what)
	case offset < used:
		return fmt.Sprintf("%s into %s", report.Bytes(offset-int64(b.Aligned)), what)
	case offset == used && offset < end:
		return fmt.Sprintf("right behind the end of %s, before its seal", what)
	case offset < end:
		return fmt.Sprintf("%s behind the end of %s, before its seal", report.Bytes(offset-used), what)
	}
	return fmt.Sprintf("byte %d of the seal of %s", offset-end, what)
}

// blockInWords says what kind of block it is, and how large.
func blockInWords(b *Block) string {
	what := fmt.Sprintf("a %s block", b.Place)
	switch {
	case b.Guarded && b.Place == PlaceLive:
		return "a live guarded block of " + report.Bytes(int64(b.Requested))
	case b.Guarded:
		return "a freed guarded block of " + report.Bytes(int64(b.Requested))
	case b.Bin < 0:
		what = fmt.Sprintf("a %s span", b.Place)
	case b.Place == PlaceDepot:
		what = "a block in the depot,"
	case b.Place == PlaceInFlight:
		what = "a block that an operation under way is taking or giving back,"
	case b.Aligned > 0:
		what = fmt.Sprintf("a %s aligned block", b.Place)
	}
	if b.Requested >= 0 && (b.Place == PlaceLive || b.Place == PlaceInFlight || b.Place == PlaceQuarantined) {
		return what + " of " + report.Bytes(int64(b.Requested))
	}
	return what + " for up to " + report.Bytes(int64(b.Size))
}

func (h *Heap) whatisSpan(r *WhatisReport, s *Span, address uint64) error {
	b, err := h.examineSpan(s)
	if err != nil {
		return err
	}
	r.Block, r.Offset = b, int64(address-uint64(b.Address))
	if address-s.base >= s.Pages*layout.PageBytes {
		r.Kind = "guard"
		r.Sentence = fmt.Sprintf("%s behind the pages of a %s span of %d bytes (%s), on its guard page: nothing may be read or written there", report.Bytes(int64(address-s.base-s.Pages*layout.PageBytes)), b.Place, s.Requested, b.Address)
		if s.huge && address-s.base >= (s.Pages+uint64(s.GuardPages))*layout.PageBytes {
			r.Sentence = fmt.Sprintf("in the unused rest of the arenas of a %s span of %d bytes (%s)", b.Place, s.Requested, b.Address)
		}
		return nil
	}
	r.Kind = "span"
	r.Finding, err = h.diagnoseSpan(s)
	r.Sentence = fmt.Sprintf("%s, %d %s, arena %d", position(b, r.Offset), s.Pages, plural(int(s.Pages), "page"), b.Arena)
	return err
}

// whatisMetadata finds the struct and the field that an address before the data belongs to.
func (h *Heap) whatisMetadata(r *WhatisReport, address uint64) {
	id := &h.id
	r.Kind = "metadata"
	table := func(name, kind string, start, size uint64, entries int) bool {
		if address < start || address-start >= size*uint64(entries) {
			return false
		}
		r.Struct = fmt.Sprintf("%s %d", name, (address-start)/size)
		r.Offset = int64((address - start) % size)
		r.Field = h.format.fieldAt(kind, uint64(r.Offset))
		return true
	}
	switch {
	case address-id.Base < h.format.header.bytes:
		r.Struct, r.Offset = "Header", int64(address-id.Base)
		r.Field = h.format.fieldAt("Header", uint64(r.Offset))
	case address >= id.Schema && address-id.Schema < uint64(id.SchemaBytes):
		r.Struct, r.Offset = "schema", int64(address-id.Schema)
	case table("Bin", "Bin", uint64(id.Bins), h.format.bin.bytes, len(h.bins)):
	case table("Cache", "Cache", uint64(id.Caches), h.format.cache.bytes, int(min(h.header.CachesReady, h.format.caches))):
		if i, in, ok := h.format.magazines.element(uint64(r.Offset)); ok {
			r.Struct, r.Offset, r.Field = fmt.Sprintf("Magazine %d of %s", i, r.Struct), int64(in), h.format.fieldAt("Magazine", in)
		}
	case h.guards != nil && address-uint64(id.Guards) < uint64(len(h.capture.guards.bytes)):
		h.whatisGuardPool(r, address-uint64(id.Guards))
	case table("Journal", "Journal", uint64(id.Journals), h.format.journal.bytes, len(h.journals)):
	case h.stacks != nil && address >= uint64(id.Stacks) && address < uint64(id.Stacks)+h.format.stackTable.bytes+h.stacks.used:
		h.whatisStack(r, address-uint64(id.Stacks))
	case address >= id.Records && address < id.Records+h.recordBytes:
		h.whatisRecord(r, address)
	case table("Arena", "Arena", uint64(id.Arenas), h.format.arena.bytes, len(h.arenas)):
	case table("PageEntry", "", uint64(id.PageMap), layout.PageEntryBytes, len(h.slabOfPage)):
	case address >= id.Descriptors && address < id.Descriptors+h.descriptorBytes:
		h.whatisDescriptor(r, address)
	default:
		r.Kind = "unused"
		r.Sentence = "in a part of the metadata that is not in use, or on a guard page between two parts"
		return
	}
	r.Sentence = fmt.Sprintf("metadata of the heap: byte %d of %s", r.Offset, r.Struct)
	if r.Struct == "schema" {
		r.Sentence = fmt.Sprintf("metadata of the heap: byte %d of the schema", r.Offset)
	}
	if r.Field != "" {
		r.Sentence += ", field " + r.Field
	}
	r.Sentence += "; nothing but the heap may write here"
}

// whatisDescriptor finds the slab, span or magazine among the descriptors.
func (h *Heap) whatisDescriptor(r *WhatisReport, address uint64) {
	i, exact := slices.BinarySearchFunc(h.pieces, address, func(p piece, a uint64) int {
		switch {
		case p.start < a:
			return -1
		case p.start > a:
			return 1
		}
		return 0
	})
	if !exact {
		i--
	}
	if i < 0 || address-h.pieces[i].start >= h.pieces[i].bytes {
		r.Struct = "descriptors that nothing owns"
		return
	}
	p := h.pieces[i]
	r.Struct, r.Offset = p.name(), int64(address-p.start)
	r.Field = h.format.fieldAt(p.kind, uint64(r.Offset))
	if p.kind == "Slab" && uint64(r.Offset) >= h.format.slab.bytes {
		r.Field = fmt.Sprintf("Links[%d]", (uint64(r.Offset)-h.format.slab.bytes)/2)
	}
}

// whatisGuardPool finds the field of the guard pool, or of one of its slots.
func (h *Heap) whatisGuardPool(r *WhatisReport, offset uint64) {
	r.Struct, r.Offset, r.Field = "GuardPool", int64(offset), h.format.fieldAt("GuardPool", offset)
	if i, in, ok := h.format.guardSlots.element(offset); ok {
		r.Struct, r.Offset, r.Field = guardSlotName(int(i)), int64(in), h.format.fieldAt("GuardSlot", in)
	}
}

// whatisStack finds the stack that lies at offset in the stack table.
func (h *Heap) whatisStack(r *WhatisReport, offset uint64) {
	if offset < h.format.stackTable.bytes {
		r.Struct, r.Offset, r.Field = "StackTable", int64(offset), h.format.fieldAt("StackTable", offset)
		return
	}
	offset -= h.format.stackTable.bytes
	for ref, s := range h.stacks.stacks {
		if in := offset - ref.Offset(); in < h.format.stackBytes(s.Depth) {
			r.Struct, r.Offset, r.Field = fmt.Sprintf("Stack %s", layout.Hex(uint64(ref))), int64(in), h.format.fieldAt("Stack", in)
			if in >= h.format.stack.bytes {
				r.Field = fmt.Sprintf("Addresses[%d]", (in-h.format.stack.bytes)/8)
			}
			return
		}
	}
}

// whatisRecord finds the block whose record lies at address, or the records of a slab that was given back.
func (h *Heap) whatisRecord(r *WhatisReport, address uint64) {
	for _, s := range h.slabs {
		in := address - uint64(s.Records)
		if !s.recorded || in >= h.format.recordArrayBytes(s.class.Capacity) {
			continue
		}
		r.Struct, r.Offset, r.Field = fmt.Sprintf("Records of slab %d", s.page), int64(in), h.format.fieldAt("Records", in)
		if head, bytes := h.format.records.bytes, h.format.record.bytes; in >= head {
			block := (in - head) / bytes
			r.Struct, r.Offset = fmt.Sprintf("Record of block %d of slab %d", block, s.page), int64((in-head)%bytes)
			r.Field = h.format.fieldAt("Record", uint64(r.Offset))
		}
		return
	}
	// Those of all slabs lie one behind the other.
	start := uint64(h.id.Records)
	for _, l := range h.onLists {
		if l.kind == "Records" && uint64(l.address) <= address {
			start = max(start, uint64(l.address))
		}
	}
	r.Struct, r.Offset = "records of a retired slab", int64(address-start)
	r.Field = h.format.fieldAt("Records", uint64(r.Offset))
}
