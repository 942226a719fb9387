package inspect

import (
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/query"
)

// BinColumns are the columns of a list of bins.
var BinColumns = query.Set[BinRow]{
	Rows:  "bins",
	Usual: []string{"bin", "size", "slabs", "blocks", "live", "cached", "free", "virgin"},
	Columns: []query.Column[BinRow]{
		{Head: query.Head{Name: "bin", Kind: query.Number, Meaning: "its number"}, Read: func(b *BinRow) any { return b.Bin }},
		{Head: query.Head{Name: "address", Kind: query.Address, Meaning: "of the struct"}, Read: func(b *BinRow) any { return uint64(b.Address) }},
		{Head: query.Head{Name: "size", Kind: query.Bytes, Meaning: "that can be written in a block"}, Read: func(b *BinRow) any { return int(b.Size) }},
		{Head: query.Head{Name: "stride", Kind: query.Bytes, Meaning: "from block to block"}, Read: func(b *BinRow) any { return int(b.Stride) }},
		{Head: query.Head{Name: "capacity", Kind: query.Count, Meaning: "blocks of a slab"}, Read: func(b *BinRow) any { return int(b.Capacity) }},
		{Head: query.Head{Name: "slabs", Kind: query.Count, Meaning: "that it has"}, Read: func(b *BinRow) any { return b.Slabs }},
		{Head: query.Head{Name: "empty_slabs", Kind: query.Count, Meaning: "of these, without a block in use"}, Read: func(b *BinRow) any { return b.Empty }},
		{Head: query.Head{Name: "blocks", Kind: query.Count, Meaning: "of all its slabs"}, Read: func(b *BinRow) any { return int(b.Blocks) }},
		{Head: query.Head{Name: "live", Kind: query.Count, Meaning: "blocks that the user has"}, Read: func(b *BinRow) any { return int(b.Live) }},
		{Head: query.Head{Name: "cached", Kind: query.Count, Meaning: "free blocks in the magazines of Ps"}, Read: func(b *BinRow) any { return int(b.Cached) }},
		{Head: query.Head{Name: "depot", Kind: query.Count, Meaning: "free blocks in the depot's magazines"}, Read: func(b *BinRow) any { return int(b.Depot) }},
		{Head: query.Head{Name: "free", Kind: query.Count, Meaning: "blocks on the slabs' free lists"}, Read: func(b *BinRow) any { return int(b.Free) }},
		{Head: query.Head{Name: "virgin", Kind: query.Count, Meaning: "blocks that were never handed out"}, Read: func(b *BinRow) any { return int(b.Virgin) }},
		{Head: query.Head{Name: "withdrawn", Kind: query.Count, Meaning: "blocks that were found damaged"}, Read: func(b *BinRow) any { return int(b.Withdrawn) }},
		{Head: query.Head{Name: "quarantined", Kind: query.Count, Meaning: "blocks that were freed and are held back"}, Read: func(b *BinRow) any { return int(b.Quarantined) }},
		{Head: query.Head{Name: "borrowed_slabs", Kind: query.Count, Meaning: "beyond the bin's share of the arenas"}, Read: func(b *BinRow) any { return int(b.Borrowed) }},
		{Head: query.Head{Name: "locked", Kind: query.Truth, Meaning: "whether somebody held its lock"}, Read: func(b *BinRow) any { return b.Locked }},
	},
}

// SlabColumns are the columns of a list of slabs.
var SlabColumns = query.Set[SlabRow]{
	Rows:  "slabs",
	Usual: []string{"slab", "base", "bin", "size", "list", "capacity", "live", "cached", "free", "virgin"},
	Columns: []query.Column[SlabRow]{
		{Head: query.Head{Name: "slab", Kind: query.Number, Meaning: "its number: the page where it begins, from the first arena"}, Read: func(s *SlabRow) any { return s.Slab }},
		{Head: query.Head{Name: "base", Kind: query.Address, Meaning: "of block 0"}, Read: func(s *SlabRow) any { return uint64(s.Base) }},
		{Head: query.Head{Name: "address", Kind: query.Address, Meaning: "of the struct"}, Read: func(s *SlabRow) any { return uint64(s.Struct) }},
		{Head: query.Head{Name: "bin", Kind: query.Number, Meaning: "that it is of"}, Read: func(s *SlabRow) any { return s.Bin }},
		{Head: query.Head{Name: "arena", Kind: query.Number, Meaning: "that it lies in"}, Read: func(s *SlabRow) any { return s.Arena }},
		{Head: query.Head{Name: "pages", Kind: query.Count, Meaning: "of 4096 bytes"}, Read: func(s *SlabRow) any { return s.Pages }},
		{Head: query.Head{Name: "size", Kind: query.Bytes, Meaning: "that can be written in a block"}, Read: func(s *SlabRow) any { return int(s.Size) }},
		{Head: query.Head{Name: "list", Kind: query.Word, Choices: slabLists, Meaning: "of its bin that it is on"}, Read: func(s *SlabRow) any { return s.List }},
		{Head: query.Head{Name: "capacity", Kind: query.Count, Meaning: "blocks that it has"}, Read: func(s *SlabRow) any { return s.Capacity }},
		{Head: query.Head{Name: "live", Kind: query.Count, Meaning: "blocks that the user has"}, Read: func(s *SlabRow) any { return s.Live }},
		{Head: query.Head{Name: "cached", Kind: query.Count, Meaning: "free blocks in magazines, those of the depot too"}, Read: func(s *SlabRow) any { return s.Cached }},
		{Head: query.Head{Name: "free", Kind: query.Count, Meaning: "blocks on its free list"}, Read: func(s *SlabRow) any { return s.Free }},
		{Head: query.Head{Name: "virgin", Kind: query.Count, Meaning: "blocks that were never handed out"}, Read: func(s *SlabRow) any { return s.Virgin }},
		{Head: query.Head{Name: "withdrawn", Kind: query.Count, Meaning: "blocks that were found damaged"}, Read: func(s *SlabRow) any { return s.Withdrawn }},
		{Head: query.Head{Name: "quarantined", Kind: query.Count, Meaning: "blocks that were freed and are held back"}, Read: func(s *SlabRow) any { return s.Quarantined }},
	},
}

// slabLists are the lists that a slab can be on.
var slabLists = []string{"none", "partial", "empty"}

// LeakColumns are the columns of a list of groups of live blocks.
var LeakColumns = query.Set[LeakGroup]{
	Rows:  "groups",
	Usual: []string{"bytes", "blocks", "least", "most", "example", "site", "line"},
	Columns: []query.Column[LeakGroup]{
		{Head: query.Head{Name: "bytes", Kind: query.Bytes, Meaning: "of its blocks, as asked for"}, Read: func(g *LeakGroup) any { return int(g.Bytes) }},
		{Head: query.Head{Name: "blocks", Kind: query.Count, Meaning: "that are live"}, Read: func(g *LeakGroup) any { return int(g.Blocks) }},
		{Head: query.Head{Name: "samples", Kind: query.Count, Meaning: "blocks of which bytes and blocks are an estimate; 0: they are counted"}, Read: func(g *LeakGroup) any { return int(g.Samples) }},
		{Head: query.Head{Name: "below", Kind: query.Count, Meaning: "unreachable blocks that only these lead to"}, Read: func(g *LeakGroup) any { return int(g.Below) }},
		{Head: query.Head{Name: "below_bytes", Kind: query.Bytes, Meaning: "of these"}, Read: func(g *LeakGroup) any { return int(g.BelowBytes) }},
		{Head: query.Head{Name: "least", Kind: query.Bytes, Meaning: "of the smallest block"}, Read: func(g *LeakGroup) any { return int(g.Least) }},
		{Head: query.Head{Name: "most", Kind: query.Bytes, Meaning: "of the largest block"}, Read: func(g *LeakGroup) any { return int(g.Most) }},
		{Head: query.Head{Name: "example", Kind: query.Address, Meaning: "of the block that was allocated first"}, Read: func(g *LeakGroup) any { return uint64(g.Example) }},
		{Head: query.Head{Name: "sequence", Kind: query.Number, Meaning: "of its allocation, among the heap's recorded operations"}, Read: func(g *LeakGroup) any { return sequenceOf(g.Oldest) }},
		{Head: query.Head{Name: "goroutine", Kind: query.Number, Meaning: "that allocated it"}, Read: func(g *LeakGroup) any { return goroutineOf(g.Oldest) }},
		{Head: query.Head{Name: "site", Kind: query.Function, Meaning: "innermost function that allocated them and is not the allocator's"}, Read: func(g *LeakGroup) any { return knownText(callsOf(g.Oldest).site) }},
		{Head: query.Head{Name: "line", Kind: query.Text, Meaning: "where that is: file:line"}, Read: func(g *LeakGroup) any { return knownText(callsOf(g.Oldest).line) }},
		{Head: query.Head{Name: "stack", Kind: query.Function, Meaning: "all functions of the allocation, the innermost first"}, Read: func(g *LeakGroup) any { return knownText(callsOf(g.Oldest).stack) }},
		{Head: query.Head{Name: "unrecorded", Kind: query.Text, Meaning: "why it is not known who allocated them"}, Read: func(g *LeakGroup) any { return knownText(g.Unrecorded) }},
	},
}

// LogColumns are the columns of a list of audited operations.
var LogColumns = query.Set[LogEvent]{
	Rows:  "operations",
	Usual: []string{"sequence", "kind", "size", "address", "goroutine", "site", "line"},
	Columns: []query.Column[LogEvent]{
		{Head: query.Head{Name: "sequence", Kind: query.Number, Meaning: "its number; between Ps, the order is only roughly that of time"}, Read: func(e *LogEvent) any { return sequenceOf(e.By) }},
		{Head: query.Head{Name: "kind", Kind: query.Word, Choices: []string{layout.EventAlloc.String(), layout.EventFree.String()}, Meaning: "what was done"}, Read: func(e *LogEvent) any { return e.Kind }},
		{Head: query.Head{Name: "size", Kind: query.Bytes, Meaning: "that were asked for"}, Read: func(e *LogEvent) any { return int(e.Bytes) }},
		{Head: query.Head{Name: "address", Kind: query.Address, Meaning: "of the block"}, Read: func(e *LogEvent) any { return uint64(e.Address) }},
		{Head: query.Head{Name: "p", Kind: query.Number, Meaning: "in whose log it is"}, Read: func(e *LogEvent) any { return e.P }},
		{Head: query.Head{Name: "goroutine", Kind: query.Number, Meaning: "that did it"}, Read: func(e *LogEvent) any { return goroutineOf(e.By) }},
		{Head: query.Head{Name: "site", Kind: query.Function, Meaning: "innermost function that is not the allocator's"}, Read: func(e *LogEvent) any { return knownText(callsOf(e.By).site) }},
		{Head: query.Head{Name: "line", Kind: query.Text, Meaning: "where that is: file:line"}, Read: func(e *LogEvent) any { return knownText(callsOf(e.By).line) }},
		{Head: query.Head{Name: "stack", Kind: query.Function, Meaning: "all functions, the innermost first"}, Read: func(e *LogEvent) any { return knownText(callsOf(e.By).stack) }},
	},
}

// sequenceOf and goroutineOf are cells of an operation.
func sequenceOf(o *Operation) any {
	if o == nil {
		return nil
	}
	return knownInt(int(o.Sequence), o.Sequence != 0)
}

func goroutineOf(o *Operation) any {
	if o == nil {
		return nil
	}
	return knownInt(int(o.Goroutine), o.Goroutine != 0)
}
