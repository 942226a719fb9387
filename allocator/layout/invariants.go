package layout

// What is always true of each struct. The facts that a struct can't know of itself (what somebody else counted or
// derived) are handed in.

// IdentityFacts is what the identity is held against.
type IdentityFacts struct {
	Base         uint64                    // where the Header was found; 0: not known (a file)
	Twin         *Identity                 // the second copy
	Sum, TwinSum uint64                    // of the two, as they lie in the heap
	SchemaHash   uint64                    // of the schema's bytes as they are now
	Version      uint32                    // of the heap's format
	Caches       uint32                    // that the format has room for
	Place        func(id *Identity) Places // where the parts of a heap with this identity lie
}

// Judge checks the identity: each field against the twin, then against what it follows from.
func (id *Identity) Judge(j *Judge, f IdentityFacts) {
	t := f.Twin
	// Where the two differ, the one whose checksum is right is believed.
	twin := "its twin, whose checksum is right"
	if f.TwinSum != t.Checksum {
		t, twin = id, "itself: the twin is damaged too"
		if f.Sum == id.Checksum {
			twin = "itself: the checksum is right, the twin is damaged"
		}
	}
	j.EqualHex("Magic", id.Magic, Magic, "\"GLASHEAP\"")
	j.Equal("Version", uint64(id.Version), uint64(f.Version), "the version of this format")
	j.Word("Mode", id.Mode == t.Mode && id.Mode.Valid(), id.Mode.String(), t.Mode.String(), twin)
	base := t.Base
	if f.Base != 0 {
		base = f.Base
	}
	j.EqualHex("Base", id.Base, base, "where the header lies")
	p := f.Place(t)
	j.EqualHex("Reserve", id.Reserve, p.End, "header, metadata and ArenasMax arenas")
	j.EqualHex("Secret", id.Secret, t.Secret, twin)
	j.Equal("PID", uint64(id.PID), uint64(t.PID), twin)
	j.Word("Backing", id.Backing == t.Backing && id.Backing >= BackingMemfd && id.Backing <= BackingAnonymous, id.Backing.String(), t.Backing.String(), twin)
	j.Equal("StartedUnix", uint64(id.StartedUnix), uint64(t.StartedUnix), twin)
	j.Word("Name", id.Name == t.Name, id.HeapName(), t.HeapName(), twin)
	j.Word("Geometry", id.Geometry == t.Geometry && id.Geometry.Valid(), id.Geometry.String(), t.Geometry.String(), twin)
	bins := uint64(0)
	if t.Geometry.Valid() {
		bins = uint64(len(Classes(t.Geometry, t.Mode.SealBytes())))
	}
	j.Equal("BinCount", uint64(id.BinCount), bins, "the geometry's size classes")
	j.Equal("ArenasMax", uint64(id.ArenasMax), uint64(t.ArenasMax), twin)
	j.Equal("CachesMax", uint64(id.CachesMax), uint64(f.Caches), "MaxCaches")
	j.Equal("PageBytes", uint64(id.PageBytes), PageBytes, "a page")
	j.Equal("ArenaBytes", uint64(id.ArenaBytes), ArenaBytes, "1 MiB")
	j.Equal("SealBytes", uint64(id.SealBytes), uint64(t.Mode.SealBytes()), "what the mode writes behind each block")
	j.Equal("SchemaBytes", uint64(id.SchemaBytes), uint64(t.SchemaBytes), twin)
	j.EqualHex("Schema", id.Schema, base+SchemaOffset, "behind the header")
	j.EqualHex("SchemaHash", f.SchemaHash, id.SchemaHash, "hash of the schema's bytes")
	j.EqualHex("Bins", uint64(id.Bins), base+p.Bins, "behind the schema")
	j.EqualHex("Caches", uint64(id.Caches), base+p.Caches, "behind the bins")
	j.EqualHex("Arenas", uint64(id.Arenas), base+p.Arenas, "behind the caches")
	j.EqualHex("PageMap", uint64(id.PageMap), base+p.PageMap, "behind the arenas")
	j.EqualHex("Descriptors", id.Descriptors, base+p.Descriptors, "behind the page map")
	j.EqualHex("DescriptorsEnd", id.DescriptorsEnd, base+p.DescriptorsEnd, "room for what the data may need")
	j.EqualHex("Stacks", uint64(id.Stacks), base+p.Stacks, "behind the descriptors")
	j.EqualHex("Journals", uint64(id.Journals), base+p.Journals, "behind the stacks")
	j.EqualHex("Records", id.Records, base+p.Records, "behind the journals")
	j.EqualHex("RecordsEnd", id.RecordsEnd, base+p.RecordsEnd, "room for records")
	j.EqualHex("Guards", uint64(id.Guards), base+p.Guards, "behind the records")
	j.EqualHex("GuardPages", id.GuardPages, base+p.GuardPages, "behind the guard slots")
	j.EqualHex("Data", id.Data, base+p.Data, "the next multiple of 1 MiB")
	j.EqualHex("Checksum", id.Checksum, f.Sum, "of the fields above")
}

// JudgeTwin checks the second copy, once the first is known to be sound. The sums are those of the two, as they lie in the heap.
func (id *Identity) JudgeTwin(j *Judge, first *Identity, sum, firstSum uint64) {
	j.Word("Twin", *id == *first && sum == firstSum, Hex(sum), Hex(firstSum), "the two identities are equal")
}

// HeaderFacts is what the changing part of the header is held against.
type HeaderFacts struct {
	Holders                                           uint32    // of a lock, at most
	Identity                                          *Identity // the sound one of the two
	ArenasFound                                       uint64    // arenas in the table up to the last one that was ever used
	ArenasMapped, SpansLive, SpansRetired, PagesInUse uint64    // counted
	DescriptorBytes                                   uint64    // of every descriptor that was found
	CachesFound                                       uint64    // caches that say they are ready
	JournalsFound                                     uint64    // journals that say they are ready
	RecordBytes                                       uint64    // of the records of every slab that has some
	SpansQuarantined, QuarantinedPages                uint64    // counted along the list
	SpanQuarantineLast                                Ref[Span] // the last of the list
}

// Judge checks the changing part of the header. The identity has been judged before.
func (h *Header) Judge(j *Judge, f HeaderFacts) {
	id := f.Identity
	j.That("PagesLock", h.PagesLock.Valid(f.Holders), uint64(h.PagesLock), "0, or the tag and a holder", "a lock word")
	j.Changing(h.PagesLock.Held())
	j.Within("ArenasUsed", h.ArenasUsed, 0, uint64(id.ArenasMax), "what fits into the reserve")
	j.Equal("ArenasUsed", h.ArenasUsed, f.ArenasFound, "arenas that were ever used, counted")
	j.Equal("ArenasMapped", h.ArenasMapped, f.ArenasMapped, "arenas that hold memory, counted")
	j.Equal("CachesReady", h.CachesReady, f.CachesFound, "caches that are ready, counted")
	j.EqualHex("DescriptorsTop", h.DescriptorsTop, id.Descriptors+f.DescriptorBytes, "every descriptor that is in use or waits to be")
	j.Within("DescriptorsTop", h.DescriptorsTop, id.Descriptors, id.DescriptorsEnd, "the descriptors' room")
	j.Equal("SpansRetired", h.SpansRetired, f.SpansRetired, "span descriptors on RetiredSpans, counted")
	j.Equal("SpansLive", h.SpansLive, f.SpansLive, "large allocations, counted")
	j.Equal("PagesInUse", h.PagesInUse, f.PagesInUse, "pages of slabs, spans and guards, counted")
	j.Word("Mode", h.Mode.Valid() && h.Mode.SealBytes() == id.Mode.SealBytes(), h.Mode.String(), id.Mode.String(), "a mode whose blocks look like those of the identity's")
	j.Equal("JournalsReady", h.JournalsReady, f.JournalsFound, "journals that are ready, counted")
	j.EqualHex("RecordsTop", h.RecordsTop, id.Records+f.RecordBytes, "the records of every slab that has some")
	j.Equal("SpansQuarantined", h.SpansQuarantined, f.SpansQuarantined, "spans on SpanQuarantine, counted")
	j.Equal("QuarantinedPages", h.QuarantinedPages, f.QuarantinedPages, "pages of the spans on SpanQuarantine, counted")
	j.EqualHex("SpanQuarantineLast", uint64(h.SpanQuarantineLast), uint64(f.SpanQuarantineLast), "the last span on SpanQuarantine")
}

// BinFacts is what a bin is held against.
type BinFacts struct {
	ID                                                  uint32
	Class                                               Class  // derived from the geometry
	DescriptorBytes                                     uint64 // of a slab with its links
	Holders                                             uint32
	Slabs, Empty, Retired, Depot, DepotSpare, Withdrawn uint64 // counted
	Carved, Free, DepotBlocks                           uint64 // counted
	Inflow                                              int64  // of the caches' magazines, summed
	Live, Cached, Quarantined                           uint64 // blocks found live, in the caches' magazines, in the journals' quarantines
	ListsBroken                                         bool   // a list could not be walked: what was counted along it is too little
	PagesHeld                                           bool   // Header.PagesLock is held
}

// Judge checks a bin: its figures follow from the geometry, its counts from what was counted.
func (b *Bin) Judge(j *Judge, f BinFacts) {
	c := f.Class
	j.Equal("ID", uint64(b.ID), uint64(f.ID), "its place in the table")
	j.Equal("Size", uint64(b.Size), uint64(c.Size), "the geometry")
	j.Equal("Stride", uint64(b.Stride), uint64(c.Stride), "size and seal")
	j.Equal("SlabPages", uint64(b.SlabPages), uint64(c.SlabPages), "the geometry")
	j.Equal("Capacity", uint64(b.Capacity), uint64(c.Capacity), "pages of a slab / stride")
	j.Equal("Magazine", uint64(b.Magazine), uint64(c.Magazine), "the geometry")
	j.Equal("Share", uint64(b.Share), uint64(c.Share), "the geometry")
	j.Equal("DescriptorBytes", uint64(b.DescriptorBytes), f.DescriptorBytes, "a slab and a link for each block")
	j.Padding(Bytes(b), binPadding)
	j.That("Lock", b.Lock.Valid(f.Holders), uint64(b.Lock), "0, or the tag and a holder", "a lock word")
	j.Changing(b.Lock.Held() || f.PagesHeld)
	j.Equal("SlabCount", uint64(b.SlabCount), f.Slabs, "slabs of this bin in the page map")
	j.Equal("EmptyCount", uint64(b.EmptyCount), f.Empty, "slabs on Empty")
	j.Equal("RetiredCount", uint64(b.RetiredCount), f.Retired, "descriptors on Retired")
	j.Equal("DepotCount", uint64(b.DepotCount), f.Depot, "magazines on Depot")
	j.Equal("DepotSpare", uint64(b.DepotSpare), f.DepotSpare, "magazines on DepotEmpty")
	j.Equal("WithdrawnCount", uint64(b.WithdrawnCount), f.Withdrawn, "links that say withdrawn")
	j.Equal("CarvedBlocks", b.CarvedBlocks, f.Carved, "sum over the slabs")
	j.Equal("FreeBlocks", b.FreeBlocks, f.Free, "sum over the slabs")
	j.Equal("DepotBlocks", b.DepotBlocks, f.DepotBlocks, "sum over the depot's magazines")
	j.Equal("LentBlocks", uint64(b.LentBlocks), uint64(f.Inflow), "sum of the caches' inflows")
	if !f.ListsBroken {
		j.Equal("LentBlocks", uint64(b.LentBlocks), f.Live+f.Cached+f.Quarantined, "blocks found live, in a cache or in quarantine")
	}
}

// SlabFacts is what a slab is held against.
type SlabFacts struct {
	Arena, Bin     uint32
	Base           uint64 // address of the run's first page, by the page map
	Pages          uint64 // pages of the run, by the page map
	Links          uint64 // address behind the descriptor
	Class          Class
	Held           bool   // the bin's lock or Header.PagesLock is held
	Retiring       bool   // both are, and the slab is on no list: its struct may be being cleared
	FreeList       uint64 // length of the free list
	OnPartial      bool
	OnEmpty        bool
	WithdrawnLinks uint64
}

// Judge checks an active slab.
func (s *Slab) Judge(j *Judge, f SlabFacts) {
	j.Changing(f.Retiring)
	j.EqualHex("Base", s.Base, f.Base, "the page map's run")
	j.EqualHex("Links", uint64(s.Links), f.Links, "behind the slab")
	j.Equal("Arena", uint64(s.Arena), uint64(f.Arena), "where its pages lie")
	j.Equal("Bin", uint64(s.Bin), uint64(f.Bin), "the page map's bin")
	j.Equal("Stride", uint64(s.Stride), uint64(f.Class.Stride), "the bin's stride")
	j.Equal("Pages", uint64(s.Pages), uint64(f.Class.SlabPages), "the bin's slab size")
	j.Equal("Capacity", uint64(s.Capacity), uint64(f.Class.Capacity), "the bin's capacity")
	j.Padding(Bytes(s), slabPadding)
	j.Changing(f.Held)
	j.Equal("Pages", f.Pages, uint64(s.Pages), "pages of the run, by the page map")
	j.Word("State", s.State == SlabActive, s.State.String(), SlabActive.String(), "it has pages")
	j.Within("Carved", uint64(s.Carved), 0, uint64(f.Class.Capacity), "blocks of a slab")
	j.Equal("FreeCount", uint64(s.FreeCount), f.FreeList, "blocks on the free list, counted")
	j.Within("FreeCount", uint64(s.FreeCount), 0, uint64(s.Carved), "blocks that were ever handed out")
	if s.FreeCount == 0 {
		j.Equal("FreeHead", uint64(s.FreeHead), NoBlock, "nothing is free")
	} else {
		j.That("FreeHead", s.FreeHead < s.Carved, uint64(s.FreeHead), "a block below Carved", "the first of the free list")
	}
	j.Equal("Withdrawn", uint64(s.Withdrawn), f.WithdrawnLinks, "links that say withdrawn")
	j.Word("Next", f.OnPartial == (!s.Full() && !s.Empty()), onList(f.OnPartial), onList(!s.Full() && !s.Empty()), "on the bin's Partial list when it has room and blocks out")
	j.Word("Next", f.OnEmpty == s.Empty(), onList(f.OnEmpty), onList(s.Empty()), "on the bin's Empty list when no block is out")
	if s.Full() {
		j.EqualHex("Next", uint64(s.Next), 0, "a full slab is on no list")
		j.EqualHex("Previous", uint64(s.Previous), 0, "a full slab is on no list")
	}
}

func onList(on bool) string {
	if on {
		return "on it"
	}
	return "not on it"
}

// JudgeRetired checks the descriptor of a slab that was given back.
func (s *Slab) JudgeRetired(j *Judge, bin uint32, held bool) {
	j.Changing(held)
	expected := Slab{Next: s.Next, Bin: bin, State: SlabRetired, Records: s.Records}
	j.Word("State", s.State == SlabRetired, s.State.String(), SlabRetired.String(), "it is on the list of retired slabs")
	j.That("(all fields)", *s == expected, Hash(Bytes(s)), Hex(Hash(Bytes(&expected))), "a retired slab keeps its bin, its records and the list's link, nothing else")
	j.Padding(Bytes(s), slabPadding)
}

// SpanFacts is what a span is held against.
type SpanFacts struct {
	Arena      uint32
	Base       uint64 // by the page map
	Pages      uint64 // by the page map, or for a huge span at most what its arenas hold
	GuardPages uint64 // by the page map
	Huge       bool
	SealBytes  uint64
	Held       bool // Header.PagesLock is held
	Quarantine bool // it is on Header.SpanQuarantine, whose list is judged elsewhere
}

// Judge checks a span that has pages: a live one, or one in the quarantine.
func (s *Span) Judge(j *Judge, f SpanFacts) {
	j.Padding(Bytes(s), spanPadding)
	j.Changing(f.Held) // the page map names a span before its struct is written, and after it was cleared
	j.EqualHex("Base", s.Base, f.Base, "the page map's run")
	j.Equal("Arena", uint64(s.Arena), uint64(f.Arena), "where its pages lie")
	state, why := SpanLive, "it has pages"
	if f.Quarantine {
		state, why = SpanQuarantined, "it is on SpanQuarantine"
	}
	j.Word("State", s.State == state, s.State.String(), state.String(), why)
	j.That("Recorded", s.Recorded == 0 || s.Recorded == SpanRecorded, uint64(s.Recorded), "0 or "+Hex(SpanRecorded), "whether Record is true")
	if s.Recorded == 0 {
		j.That("Record", s.Record == Record{}, Hash(Bytes(&s.Record)), "zeros", "nothing was recorded")
	}
	if f.Huge {
		j.Within("Pages", s.Pages, PagesPerArena/2, f.Pages, "what its arenas hold")
		j.Within("GuardPages", uint64(s.GuardPages), 0, 1, "at most one guard page")
		j.Equal("Pages", (s.Pages+uint64(s.GuardPages)+PagesPerArena-1)/PagesPerArena, f.Pages/PagesPerArena, "as many arenas as it needs")
	} else {
		j.Equal("Pages", s.Pages, f.Pages, "pages of the run, by the page map")
		j.Equal("GuardPages", uint64(s.GuardPages), f.GuardPages, "guard pages behind it, by the page map")
	}
	j.That("Guarded", s.Guarded == 0 || s.Guarded == SpanGuarded, uint64(s.Guarded), "0 or "+Hex(SpanGuarded), "whether it ends at its guard page")
	j.Within("Requested", s.Requested, 0, s.Pages*PageBytes-s.Offset-s.SealBytes(f.SealBytes), "what fits before the seal")
	if s.Guarded == 0 {
		j.Equal("Offset", s.Offset, 0, "it begins where its pages begin")
	} else {
		j.Equal("Offset", s.Offset&^(PageBytes-1), 0, "it begins on its first page")
	}
	if !f.Quarantine {
		j.That("Record", s.Record.FreeSequence == 0 && s.Record.FreeGoroutine == 0 && s.Record.FreeStack == 0, uint64(s.Record.FreeStack), "nobody who freed it", "it is live")
		j.EqualHex("Next", uint64(s.Next), 0, "a live span is on no list")
	}
}

// JudgeRetired checks the descriptor of a span that was given back.
func (s *Span) JudgeRetired(j *Judge, held bool) {
	j.Changing(held)
	expected := Span{Next: s.Next, State: SpanRetired}
	j.That("(all fields)", *s == expected, Hash(Bytes(s)), Hex(Hash(Bytes(&expected))), "a retired span keeps the list's link, nothing else")
	j.Padding(Bytes(s), spanPadding)
}

// ArenaFacts is what an arena is held against, counted from its page entries.
type ArenaFacts struct {
	ID                        uint32
	Base                      uint64
	Free, Dirty, Slabs, Spans uint64
	HugeArenas                uint64 // ArenaHuge: arenas that its span needs
	HugeHead                  uint64 // ArenaHugeTail: the nearest ArenaHuge before it
	Held                      bool   // Header.PagesLock is held
}

// Judge checks an arena that was ever used.
func (a *Arena) Judge(j *Judge, f ArenaFacts) {
	// When an arena is mapped or unmapped, its struct is cleared and written anew.
	j.Changing(f.Held && a.ID == 0)
	j.Equal("ID", uint64(a.ID), uint64(f.ID), "its place in the table")
	j.Changing(f.Held && a.Base == 0)
	j.EqualHex("Base", a.Base, f.Base, "data + ID × 1 MiB")
	j.Changing(false)
	j.Padding(Bytes(a), arenaPadding)
	j.Changing(f.Held)
	j.Word("State", a.State >= ArenaUnmapped && a.State <= ArenaRetained, a.State.String(), "unmapped, pages, huge, retained", "an arena that was ever used")
	j.Equal("FreePages", uint64(a.FreePages), f.Free, "free entries in the page map")
	j.Equal("DirtyPages", uint64(a.DirtyPages), f.Dirty, "dirty entries in the page map")
	j.Equal("SlabCount", uint64(a.SlabCount), f.Slabs, "slabs in the page map")
	j.Equal("SpanCount", uint64(a.SpanCount), f.Spans, "spans in the page map")
	j.Equal("HugeArenas", uint64(a.HugeArenas), f.HugeArenas, "arenas of a huge span that starts here")
	j.Equal("HugeHead", uint64(a.HugeHead), f.HugeHead, "first arena of the huge span that lies here")
}

// MagazineFacts is what a magazine is held against.
type MagazineFacts struct {
	Bin     uint32
	Limit   uint32 // blocks it may hold; 0 for a spare one
	InDepot bool
	Held    bool // the bin's lock is held, for a magazine in a cache by the cache's P: nobody else touches it under the lock
}

// Judge checks a magazine in a cache or in a depot. Its blocks are judged with their slabs.
func (m *Magazine) Judge(j *Judge, f MagazineFacts) {
	j.Changing(f.Held)
	j.Equal("Bin", uint64(m.Bin), uint64(f.Bin), "the bin whose blocks it holds")
	j.Equal("Limit", uint64(m.Limit), uint64(f.Limit), "the bin's magazine size")
	if f.InDepot {
		j.Equal("Tally", uint64(m.Tally), uint64(m.Inflow), "in the depot, a bare count")
		j.Within("Inflow", uint64(m.Inflow), 0, MagazineBlocks, "in the depot, the count")
		return
	}
	j.Within("Tally", uint64(m.Tally.Count()), 0, uint64(f.Limit), "blocks in it")
	_, _, ok := m.Tally.Totals(m.Inflow)
	j.That("Tally", ok, uint64(m.Tally), "a count that follows from the inflow and some history", "allocations and frees that explain the count")
	j.Within("Inflow", uint64(m.Inflow+1<<50), 0, 1<<51, "blocks brought in")
	j.EqualHex("Next", uint64(m.Next), 0, "in a cache, on no list")
}

// Judge checks the constant part of a cache.
func (c *Cache) Judge(j *Judge, id uint32) {
	j.Equal("ID", uint64(c.ID), uint64(id), "its place in the table")
	j.Equal("Ready", uint64(c.Ready), 1, "it was initialised")
	j.Padding(Bytes(c), cachePadding)
}

// RecordsFacts is what the head of a slab's records is held against.
type RecordsFacts struct {
	Slab     Ref[Slab] // the slab that names them
	Bin      uint32
	Capacity uint32
	Held     bool // the bin's lock or Header.PagesLock is held
}

// Judge checks the head of a slab's records. The records are judged with their blocks.
func (r *Records) Judge(j *Judge, f RecordsFacts) {
	j.Changing(f.Held)
	j.EqualHex("Slab", uint64(r.Slab), uint64(f.Slab), "the slab that names these records")
	j.Equal("Bin", uint64(r.Bin), uint64(f.Bin), "the bin of that slab")
	j.Equal("Count", uint64(r.Count), uint64(f.Capacity), "one for each block of the slab")
}

// RecordFacts is what a record is held against.
type RecordFacts struct {
	State  State                   // of its block, by the seal
	Stored func(ref StackRef) bool // whether the stack table has such a stack
	Held   bool                    // the block is in somebody's hands
}

// Judge checks the stacks of a record whose block says that it is true.
func (r *Record) Judge(j *Judge, f RecordFacts) {
	j.Changing(f.Held)
	j.That("AllocStack", r.AllocStack == 0 || f.Stored(r.AllocStack), uint64(r.AllocStack), "0 or a stack of the stack table", "who allocated the block")
	if f.State.Poisoned() {
		j.That("FreeStack", r.FreeStack == 0 || f.Stored(r.FreeStack), uint64(r.FreeStack), "0 or a stack of the stack table", "who freed the block")
	}
}

// StackTableFacts is what the stack table is held against.
type StackTableFacts struct {
	Used, Count uint64 // of the stacks that were found one behind the other
	Chained     uint64 // stacks that the buckets' chains reach, each through its own bucket
	Room        uint64 // bytes for stacks
	Holders     uint32 // of its lock, at most
}

// Judge checks the table. Its stacks have been judged before.
func (t *StackTable) Judge(j *Judge, f StackTableFacts) {
	j.That("Lock", t.Lock.Valid(f.Holders), uint64(t.Lock), "0, or the tag and a holder", "a lock word")
	j.Changing(t.Lock.Held())
	j.Within("Used", t.Used, 0, f.Room, "room for stacks")
	j.Equal("Used", t.Used, f.Used, "bytes of the stacks, one behind the other")
	j.Equal("Count", t.Count, f.Count, "stacks, one behind the other")
	j.Equal("Buckets", f.Chained, f.Count, "stacks that the buckets' chains reach")
}

// StackFacts is what a stack is held against.
type StackFacts struct {
	Hash   uint64 // of its addresses
	Self   StackRef
	Stored func(StackRef) bool // whether the table has such a stack
}

// Judge checks a stack. Depth has been judged by whoever read the addresses.
func (s *Stack) Judge(j *Judge, f StackFacts) {
	j.EqualHex("Hash", s.Hash, f.Hash, "hash of the return addresses")
	j.That("Next", s.Next == 0 || f.Stored(s.Next) && s.Next.Offset() < f.Self.Offset(), uint64(s.Next), "a stack before this one, or 0", "chains go from newer stacks to older ones")
}

// JournalFacts is what a journal is held against.
type JournalFacts struct {
	ID    uint32
	Bytes uint64 // strides of the blocks in its quarantine
	Known bool   // the blocks in the quarantine could be counted
}

// Judge checks a journal that is in use. The blocks of its quarantine are judged with their slabs.
func (q *Journal) Judge(j *Judge, f JournalFacts) {
	j.Equal("ID", uint64(q.ID), uint64(f.ID), "its place in the table")
	j.Equal("Ready", uint64(q.Ready), 1, "it was initialised")
	held, ok := q.Held()
	j.That("QuarantineIn", ok, q.QuarantineIn, "at most "+Hex(q.QuarantineOut+QuarantineBlocks), "QuarantineOut and what the ring holds")
	j.Changing(q.Moving != 0)
	if ok && f.Known {
		j.Equal("QuarantineBytes", q.QuarantineBytes, f.Bytes, "strides of the blocks in the quarantine")
		j.That("QuarantineBytes", held > 0 || q.QuarantineBytes == 0, q.QuarantineBytes, "0", "nothing is held back")
	}
	j.Changing(false)
	j.Padding(Bytes(q), journalUnused)
}

// GuardPoolFacts is what the pool is held against.
type GuardPoolFacts struct {
	Live uint64 // slots that say they are live
	Held bool   // Header.PagesLock is held
}

// Judge checks the pool. Its slots are judged one by one.
func (g *GuardPool) Judge(j *Judge, f GuardPoolFacts) {
	j.Within("Ready", g.Ready, 0, 1, "whether it was initialised")
	j.Changing(f.Held)
	j.Equal("Live", g.Live, f.Live, "slots that are live, counted")
	j.Padding(Bytes(g), guardPadding)
}

// GuardSlotFacts is what a slot is held against.
type GuardSlotFacts struct {
	Page   uint64 // address of its page
	Grain  uint64 // how the geometry aligns blocks
	Stored func(StackRef) bool
	Held   bool // Header.PagesLock is held
}

// Judge checks a slot.
func (s *GuardSlot) Judge(j *Judge, f GuardSlotFacts) {
	j.Changing(f.Held)
	switch s.State {
	case GuardVirgin:
		j.That("(all fields)", *s == GuardSlot{}, Hash(Bytes(s)), "zeros", "it was never used")
		return
	case GuardLive, GuardFreed:
	default:
		j.Word("State", false, Hex(uint64(s.State)), "virgin, live or freed", "a state")
		return
	}
	j.EqualHex("Check", uint64(s.Check), uint64(s.Sum()), "of the address, the size and the state")
	j.Within("Requested", s.Requested, 0, PageBytes, "what fits on a page")
	right := f.Page + PageBytes - (s.Requested+f.Grain-1)&^(f.Grain-1)
	j.That("Address", s.Address == f.Page || s.Address == right, s.Address, Hex(f.Page)+" or "+Hex(right), "at the start of its page, or ending at its end")
	state := StateRecorded
	if s.State == GuardFreed {
		state = StatePoisoned
	} else {
		j.That("Record", s.Record.FreeSequence == 0 && s.Record.FreeGoroutine == 0 && s.Record.FreeStack == 0, uint64(s.Record.FreeStack), "nobody who freed it", "it is live")
	}
	s.Record.Judge(j, RecordFacts{State: state, Stored: f.Stored, Held: f.Held})
}
