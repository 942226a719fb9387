package layout

import "unsafe"

const (
	// LogEvents is how many events a Journal keeps.
	LogEvents = 1024
	// QuarantineBlocks is how many blocks a Journal holds back at most, whatever their size.
	QuarantineBlocks = 4096
)

// EventKind is what an Event tells of.
type EventKind uint32

const (
	EventAlloc EventKind = 1
	EventFree  EventKind = 2
)

// String is the word that every output uses for the kind.
func (k EventKind) String() string {
	switch k {
	case EventAlloc:
		return "alloc"
	case EventFree:
		return "free"
	}
	return "no event"
}

// Event is one audited operation.
type Event struct {
	Sequence  uint64 // order among the operations of one P; between Ps, only roughly
	Address   uint64 // as the user knows it
	Goroutine uint64
	Size      uint64 // bytes asked for
	Stack     StackRef
	Kind      EventKind
}

// Journal is what one P keeps in audit mode: its last operations, and the blocks that were freed on it and are held back. It is
// written by the goroutine that runs on the P, with preemption off. Both parts are rings: entry i lies at i modulo their
// length.
//
// A block enters the quarantine before it is sealed and poisoned, and leaves it after it is in a magazine. Meanwhile Moving
// names it, so that a reader does not take what is under way for damage.
type Journal struct {
	ID              uint32
	Ready           uint32                   // 1 when initialised
	Sequence        uint64                   `layout:"statistic"` // of the next event
	SequenceEnd     uint64                   `layout:"statistic"` // where the numbers that were reserved for this P end
	Events          uint64                   `layout:"statistic"` // ever written
	QuarantineIn    uint64                   // blocks ever put into the quarantine
	QuarantineOut   uint64                   // blocks ever taken out
	QuarantineBytes uint64                   // strides of those that are in it
	Moving          uint64                   `layout:"statistic"` // the block that is on its way into the quarantine or out of it; 0: none
	Quarantine      [QuarantineBlocks]uint64 `layout:"address"`   // those outside QuarantineOut..QuarantineIn are stale
	Log             [LogEvents]Event         `layout:"statistic"` // the last Events modulo LogEvents
	_               [journalPadding]byte
}

const (
	journalHead    = 64
	journalUsed    = journalHead + 8*QuarantineBlocks + LogEvents*uint64(unsafe.Sizeof(Event{}))
	journalPadding = (PageBytes - journalUsed%PageBytes) % PageBytes
)

// JournalBytes is the size of a Journal: whole pages, so that each P touches its own.
const JournalBytes = uint64(unsafe.Sizeof(Journal{}))

// Held is how many blocks are in the quarantine; ok is false when the counts can't be true.
func (q *Journal) Held() (blocks uint64, ok bool) {
	blocks = q.QuarantineIn - q.QuarantineOut
	return blocks, blocks <= QuarantineBlocks
}
