package inspect

import (
	"context"
	"iter"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect/query"
)

// BlockRow is a block, span or guarded block in the list of all.
type BlockRow struct {
	Block  // without who allocated and who freed it
	kind   string
	record layout.Record
	known  bool // the record is true
	freed  bool // and so is what it says of the free
	calls  *stackCalls
}

// The kinds of blocks in a list.
const (
	kindBlock   = "block"
	kindSpan    = "span"
	kindGuarded = "guarded"
)

// sealNames are the states of seals, as lists name them.
var sealNames = []string{string(SealNone), string(SealIntact), string(SealBroken), string(SealWrong), string(SealSlack), string(SealPoison), string(SealMark), string(SealUnknown)}

// BlockColumns are the columns of a list of blocks.
var BlockColumns = query.Set[BlockRow]{
	Rows:  "blocks",
	Usual: []string{"address", "state", "size", "room", "bin", "slab", "index", "seal", "site"},
	Columns: []query.Column[BlockRow]{
		{Head: query.Head{Name: "address", Kind: query.Address, Meaning: "of its first byte"}, Read: func(b *BlockRow) any { return uint64(b.Address) }},
		{Head: query.Head{Name: "kind", Kind: query.Word, Choices: []string{kindBlock, kindSpan, kindGuarded}, Meaning: "one of a slab's blocks, a large allocation, or one with a page of its own"}, Read: func(b *BlockRow) any { return b.kind }},
		{Head: query.Head{Name: "state", Kind: query.Word, Choices: report.PlaceNames(), Meaning: "who has it: the user, or one of the heap's lists"}, Read: func(b *BlockRow) any { return b.Place.String() }},
		{Head: query.Head{Name: "size", Kind: query.Bytes, Meaning: "that were asked for, as its seal tells"}, Read: func(b *BlockRow) any { return knownInt(b.Requested, b.Requested >= 0) }},
		{Head: query.Head{Name: "room", Kind: query.Bytes, Meaning: "that can be written: the size of its class"}, Read: func(b *BlockRow) any { return b.Size }},
		{Head: query.Head{Name: "bin", Kind: query.Number, Meaning: "that it is of; not of spans and guarded blocks"}, Read: func(b *BlockRow) any { return knownInt(b.Bin, b.Bin >= 0) }},
		{Head: query.Head{Name: "slab", Kind: query.Number, Meaning: "number of the slab or span: its first page"}, Read: func(b *BlockRow) any { return knownInt(b.Slab, b.Slab >= 0) }},
		{Head: query.Head{Name: "index", Kind: query.Number, Meaning: "in the slab, from 0; of a guarded block, its slot"}, Read: func(b *BlockRow) any { return b.Index }},
		{Head: query.Head{Name: "arena", Kind: query.Number, Meaning: "that it lies in"}, Read: func(b *BlockRow) any { return knownInt(b.Arena, b.Arena >= 0) }},
		{Head: query.Head{Name: "seal", Kind: query.Word, Choices: sealNames, Meaning: "what its seal looks like; slack, poison: whole, but the bytes before it are damaged"}, Read: func(b *BlockRow) any { return string(b.Seal) }},
		{Head: query.Head{Name: "sequence", Kind: query.Number, Meaning: "of its allocation, among the heap's recorded operations"}, Read: func(b *BlockRow) any {
			return knownInt(int(b.record.AllocSequence), b.known)
		}},
		{Head: query.Head{Name: "age", Kind: query.Count, Meaning: "operations since its allocation, roughly"}, Read: func(b *BlockRow) any {
			return knownInt(b.age(), b.known)
		}},
		{Head: query.Head{Name: "goroutine", Kind: query.Number, Meaning: "that allocated it"}, Read: func(b *BlockRow) any {
			return knownInt(int(b.record.AllocGoroutine), b.known && b.record.AllocGoroutine != 0)
		}},
		{Head: query.Head{Name: "site", Kind: query.Function, Meaning: "innermost function that allocated it and is not the allocator's"}, Read: func(b *BlockRow) any { return knownText(b.allocated().site) }},
		{Head: query.Head{Name: "line", Kind: query.Text, Meaning: "where that is: file:line"}, Read: func(b *BlockRow) any { return knownText(b.allocated().line) }},
		{Head: query.Head{Name: "stack", Kind: query.Function, Meaning: "all functions of the allocation, the innermost first"}, Read: func(b *BlockRow) any { return knownText(b.allocated().stack) }},
		{Head: query.Head{Name: "freed_by", Kind: query.Function, Meaning: "innermost function that freed it"}, Read: func(b *BlockRow) any { return knownText(b.freedBy().site) }},
		{Head: query.Head{Name: "freed_sequence", Kind: query.Number, Meaning: "of its free"}, Read: func(b *BlockRow) any { return knownInt(int(b.record.FreeSequence), b.freed) }},
		{Head: query.Head{Name: "freed_goroutine", Kind: query.Number, Meaning: "that freed it"}, Read: func(b *BlockRow) any {
			return knownInt(int(b.record.FreeGoroutine), b.freed && b.record.FreeGoroutine != 0)
		}},
	},
}

// knownInt is a cell with a number, or with none.
func knownInt(n int, known bool) any {
	if !known {
		return nil
	}
	return n
}

// knownText is a cell with a text, or with none.
func knownText(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (b *BlockRow) age() int {
	return int(b.calls.heap.header.Sequence - min(b.calls.heap.header.Sequence, b.record.AllocSequence))
}

func (b *BlockRow) allocated() calls {
	if !b.known {
		return calls{}
	}
	return b.calls.at(b.record.AllocStack)
}

func (b *BlockRow) freedBy() calls {
	if !b.freed {
		return calls{}
	}
	return b.calls.at(b.record.FreeStack)
}

// BlockOptions say which blocks ListBlocks goes over.
type BlockOptions struct {
	// Slab is the number of a slab, or an address inside one or inside a span, when OneSlab is set.
	Slab    uint64
	OneSlab bool
	Virgin  bool // those too that were never handed out
}

// ListBlocks lists the blocks of all slabs, the spans and the guarded blocks, in the order of their addresses, or those of one
// slab. It holds one slab at a time: any number of blocks is listed in the same memory, unless the query sorts them. Blocks
// that were never handed out are left out, unless they are asked for or a condition names the state.
func (h *Heap) ListBlocks(ctx context.Context, o BlockOptions, q *query.Query[BlockRow]) (*Listing, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	if err := h.named(q); err != nil {
		return nil, err
	}
	o.Virgin = o.Virgin || q.Conditioned("state")
	l := blockLister{liveReader: liveReader{heap: h}, ctx: ctx, calls: &stackCalls{heap: h, of: map[layout.StackRef]calls{}}, virgin: o.Virgin}
	rows := iter.Seq2[*BlockRow, error](l.all)
	if o.OneSlab {
		slab, span, err := h.slabOrSpan(o.Slab)
		if err != nil {
			return nil, err
		}
		rows = func(yield func(*BlockRow, error) bool) {
			if span != nil {
				l.span(span, yield)
			} else {
				l.slab(slab, yield)
			}
		}
	}
	r := &Listing{Heap: h.summary(passCounts{}), Table: q.Over(rows)}
	if q.Names(callColumns...) {
		r.Notes = h.Notes()
	}
	if !h.sealed() && q.Conditioned("size") {
		r.Notes = append(r.Notes, "mode plain: what was asked for is not recorded, so size is 0 in expressions; room is what a block can hold")
	}
	return r, nil
}

// blockLister goes over the blocks of a heap.
type blockLister struct {
	liveReader
	ctx    context.Context
	calls  *stackCalls
	virgin bool
	row    BlockRow // that is being looked at
}

// all goes over all of them. Guarded blocks lie below the arenas; slabs and spans lie between each other there.
func (l *blockLister) all(yield func(*BlockRow, error) bool) {
	h := l.heap
	if h.guards != nil {
		for i := range h.guards.Slots {
			if h.guards.Slots[i].State != layout.GuardVirgin && !l.guarded(i, yield) {
				return
			}
		}
	}
	spans := h.spans
	for _, s := range h.slabs {
		for len(spans) > 0 && spans[0].base < s.base {
			if !l.span(spans[0], yield) {
				return
			}
			spans = spans[1:]
		}
		if !l.slab(s, yield) {
			return
		}
	}
	for _, s := range spans {
		if !l.span(s, yield) {
			return
		}
	}
}

// slab goes over the blocks of a slab.
func (l *blockLister) slab(s *Slab, yield func(*BlockRow, error) bool) bool {
	h := l.heap
	if err := l.ctx.Err(); err != nil {
		yield(nil, err)
		return false
	}
	l.census.count(s, nil)
	var data []byte
	stride := int(s.class.Stride)
	if h.sealed() {
		var err error
		if data, err = l.memory(s.base, s.capacity()*stride); err != nil {
			yield(nil, err)
			return false
		}
	}
	for i := range s.capacity() {
		place := l.census.places[i]
		if place == PlaceVirgin && !l.virgin {
			continue
		}
		var block []byte
		if data != nil {
			block = data[i*stride:][:stride]
		}
		l.row = BlockRow{kind: kindBlock, calls: l.calls}
		if l.row.Block, l.row.known = h.examineSeal(s, i, place, l.census.onTop(i), block); l.row.known {
			l.row.record, l.row.known = h.record(s, i)
			l.row.freed = l.row.known && h.wasFreed(&l.row.Block, l.row.record)
		}
		if !yield(&l.row, nil) {
			return false
		}
	}
	return true
}

// span is the row of a span.
func (l *blockLister) span(s *Span, yield func(*BlockRow, error) bool) bool {
	b, err := l.heap.examineSpan(s)
	if err != nil {
		yield(nil, err)
		return false
	}
	known := s.Recorded == layout.SpanRecorded
	l.row = BlockRow{Block: *b, kind: kindSpan, calls: l.calls, record: s.Record, known: known, freed: known && s.state().Poisoned()}
	l.row.Allocated, l.row.Freed = nil, nil
	return yield(&l.row, nil)
}

// guarded is the row of a guarded block.
func (l *blockLister) guarded(i int, yield func(*BlockRow, error) bool) bool {
	b := l.heap.describeGuarded(i)
	l.row = BlockRow{Block: *b, kind: kindGuarded, calls: l.calls, record: l.heap.guards.Slots[i].Record, known: true, freed: b.Place == PlaceQuarantined}
	l.row.Allocated, l.row.Freed = nil, nil
	return yield(&l.row, nil)
}
