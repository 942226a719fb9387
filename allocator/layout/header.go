package layout

import (
	"fmt"
	"slices"
)

// Magic opens every heap: "GLASHEAP" read as a little-endian word.
const Magic = 0x5041454853414c47

// Version is the version of this format. It changes with any change of a struct's fields, offsets or meaning.
const Version = 2

// HeaderBytes is the room of the Header and the schema behind it.
const HeaderBytes = 64 << 10

// SchemaOffset is where the schema starts, in bytes from the Header.
const SchemaOffset = PageBytes

// Mode says what a heap writes and verifies with every block.
type Mode uint32

const (
	// ModePlain has no seals: only addresses and lists are checked.
	ModePlain Mode = 1
	// ModeSealed ends every block in a Seal.
	ModeSealed Mode = 2
	// ModeAudit is sealed, and keeps who allocated and who freed each block, poisons what is free and holds freed blocks
	// back for a while.
	ModeAudit Mode = 4
)

// Modes are all modes, each of which does what those before it do.
var Modes = []Mode{ModePlain, ModeSealed, ModeAudit}

// Valid reports whether m is a mode of this version.
func (m Mode) Valid() bool { return slices.Contains(Modes, m) }

// String is the name by which options and commands know the mode.
func (m Mode) String() string {
	switch m {
	case ModePlain:
		return "plain"
	case ModeSealed:
		return "sealed"
	case ModeAudit:
		return "audit"
	}
	return "no mode"
}

// ParseMode is the inverse of String.
func ParseMode(name string) (Mode, error) {
	for _, m := range Modes {
		if m.String() == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("no mode is called %q: choose plain, sealed or audit", name)
}

// SealBytes is what a block of this mode pays for its seal.
func (m Mode) SealBytes() uint32 {
	if m == ModePlain {
		return 0
	}
	return SealBytes
}

// Backing says what holds the heap's memory.
type Backing uint32

const (
	BackingMemfd     Backing = 1 // a memfd: no path, another process can map it
	BackingFile      Backing = 2 // a named file: the heap survives everything
	BackingAnonymous Backing = 3 // anonymous memory: readers copy it out of the process
)

// String is the name by which options and commands know the backing.
func (b Backing) String() string {
	switch b {
	case BackingMemfd:
		return "memfd"
	case BackingFile:
		return "file"
	case BackingAnonymous:
		return "anonymous"
	}
	return "no backing"
}

// Header is the first struct of the memory: who the heap is, twice, and what of it is in use.
//
// Identity is written once, before anybody else can see the heap. The rest is written under PagesLock.
type Header struct {
	Identity Identity // constant
	Twin     Identity // the same again: tells which field of the first was damaged

	PagesLock       Lock      // held while page runs, arenas or descriptors are taken or given back
	ArenasUsed      uint64    // entries of the arena table that were ever used; the rest of it is not looked at
	ArenasMapped    uint64    // of these, how many hold memory now
	CachesReady     uint64    // caches that are initialised: Ps with a lower index have one
	DescriptorsTop  uint64    // address behind the last descriptor that was ever cut
	RetiredSpans    Ref[Span] // span descriptors to use again
	SpansRetired    uint64    // how many
	SpansLive       uint64    // large allocations
	PagesInUse      uint64    // pages of slabs, spans and guards, huge spans' arenas included
	SpanGuardsLost  uint64    `layout:"statistic"` // guard pages that the system refused
	ReserveShortage uint64    `layout:"statistic"` // bytes of the reserve that were asked for and not granted

	Mode               Mode      // as it is now; Identity.Mode is the one that the heap began with
	StackDepth         uint32    `layout:"statistic"` // frames of a stack that are kept
	Sequence           uint64    `layout:"statistic"` // the next number that no P has reserved for its events
	JournalsReady      uint64    // journals that are initialised
	RecordsTop         uint64    // address behind the last records that were ever cut
	RecordsLost        uint64    `layout:"statistic"` // slabs that have no records, because there was no room
	QuarantineLimit    uint64    `layout:"statistic"` // bytes that are held back at most: a P's share of them in its journal, as much in spans
	SpanQuarantine     Ref[Span] // spans that are held back, the oldest first
	SpanQuarantineLast Ref[Span]
	SpansQuarantined   uint64 // how many
	QuarantinedPages   uint64 // of these spans, guards included
	GuardRate          uint64 `layout:"statistic"` // one of this many allocations is guarded; 0: none
	ProfileRate        uint64 `layout:"statistic"` // one of this many allocations is recorded without audit; 0: none
	Armable            uint64 `layout:"statistic"` // 1: the program does what Wish says
	Wish               Wish   `layout:"statistic"` // what another process wants of this one; 0: nothing, or it is done
	MemoryLimit        uint64 `layout:"statistic"` // bytes that pages in use and free pages that hold memory may take; 0: no limit
	HugeBytes          uint64 `layout:"statistic"` // of arenas on huge pages
	HugePagesRefused   uint64 `layout:"statistic"` // the system's last error for one that was wanted; 0: none
}

// Identity is everything about a heap that never changes. Sizes are in bytes, places are addresses.
type Identity struct {
	Magic          uint64
	Version        uint32
	Mode           Mode
	Base           uint64 // address of the Header
	Reserve        uint64 // bytes reserved from Base on
	Secret         uint64 // key of the seals' hash
	PID            uint32 // process that made the heap
	Backing        Backing
	StartedUnix    int64 // seconds
	Name           [32]byte
	Geometry       Geometry
	BinCount       uint32
	ArenasMax      uint32
	CachesMax      uint32
	PageBytes      uint32
	ArenaBytes     uint32
	SealBytes      uint32
	SchemaBytes    uint32
	Schema         uint64
	SchemaHash     uint64
	Bins           Ref[Bin]
	Caches         Ref[Cache]
	Arenas         Ref[Arena]
	PageMap        Ref[PageEntry]
	Descriptors    uint64
	DescriptorsEnd uint64
	Stacks         Ref[StackTable]
	Journals       Ref[Journal]
	Records        uint64
	RecordsEnd     uint64
	Guards         Ref[GuardPool]
	GuardPages     uint64 // the pool's pages
	Data           uint64 // first byte of arena 0
	Checksum       uint64 // of the fields above
}

// Hash is the checksum that this format uses (FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/).
func Hash(bytes []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range bytes {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// Sum is the checksum that the identity should carry.
func (id *Identity) Sum() uint64 {
	raw := Bytes(id)
	return Hash(raw[:len(raw)-8])
}

// HeapName is the name without its padding.
func (id *Identity) HeapName() string {
	for i, b := range id.Name {
		if b == 0 {
			return string(id.Name[:i])
		}
	}
	return string(id.Name[:])
}

// Places is where the parts of a heap lie, as offsets from its Base, and how large the whole is.
type Places struct {
	Bins, Caches, Arenas, PageMap, Descriptors, DescriptorsEnd, Stacks, Journals, Records, RecordsEnd, Guards, GuardPages, Data, End uint64
}

// Place is where the parts of the heap have to lie.
func (id *Identity) Place() Places { return Place(id.ArenasMax & 0xffffff) }

// MostDescriptorBytes is how many bytes the descriptors of so many arenas can come to. A descriptor is never given to another
// bin. In the worst case each class has had all of the data in its turn: then the slabs' links come to less than 11/8 of the
// data, the depots' magazines to less than 12 MiB.
func MostDescriptorBytes(arenas uint32) uint64 { return uint64(arenas)*ArenaBytes*11/8 + 12<<20 }

// MostRecordBytes is how many bytes the records of so many arenas can come to, likewise: less than 16 times the data.
func MostRecordBytes(arenas uint32) uint64 { return uint64(arenas) * ArenaBytes * 16 }

// Place derives the places for a heap of at most arenas arenas. Each part gets a page of its own at its end that is never
// used, and the data begin at a multiple of the arena's size.
func Place(arenas uint32) (p Places) {
	at := uint64(HeaderBytes)
	take := func(bytes uint64) (start uint64) {
		start = at
		at += (bytes+PageBytes-1)&^(PageBytes-1) + PageBytes
		return start
	}
	p.Bins = take(MaxBins * BinBytes)
	p.Caches = take(MaxCaches * CacheBytes)
	p.Arenas = take(uint64(arenas) * ArenaDescriptorBytes)
	p.PageMap = take(uint64(arenas) * PagesPerArena * PageEntryBytes)
	// A large heap gets room for the classes that together can have all of its data at one time, and for many a turn.
	data := uint64(arenas) * ArenaBytes
	descriptors := min(MostDescriptorBytes(arenas), data*3/8+64<<20)
	p.Descriptors = take(descriptors)
	p.DescriptorsEnd = p.Descriptors + descriptors
	p.Stacks = take(StackTableRoom)
	p.Journals = take(MaxCaches * JournalBytes)
	// Enough for blocks of 64 bytes on average; slabs for which there is no room do without.
	records := data*5/8 + 4<<20
	p.Records = take(records)
	p.RecordsEnd = p.Records + records
	p.Guards = take(GuardPoolBytes)
	p.GuardPages = take(GuardPagesBytes)
	p.Data = (at + ArenaBytes - 1) &^ (ArenaBytes - 1)
	p.End = p.Data + uint64(arenas)*ArenaBytes
	return p
}
