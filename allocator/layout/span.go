package layout

import "unsafe"

// SpanState is where a span is in its life.
type SpanState uint32

const (
	SpanMaking  SpanState = 1 // being made, or being given back
	SpanLive    SpanState = 2
	SpanRetired SpanState = 3 // has no pages; the descriptor waits to be used again
	// SpanQuarantined is a span that was freed in audit mode: its pages are its own still, and inaccessible.
	SpanQuarantined SpanState = 4
)

// String is the word that every output uses for the state.
func (s SpanState) String() string {
	switch s {
	case SpanMaking:
		return "making"
	case SpanLive:
		return "live"
	case SpanRetired:
		return "retired"
	case SpanQuarantined:
		return "quarantined"
	}
	return "no state"
}

// Span is one large allocation: a page run inside an arena, or several whole arenas. Its seal lies in the last 8 bytes of
// its pages; a guard page follows it. It is written under Header.PagesLock; Requested also by a Realloc in place.
type Span struct {
	Base       uint64 // address of its first byte
	Pages      uint64 // without the guard page
	Requested  uint64 // bytes that were asked for
	Next       Ref[Span]
	Arena      uint32 // the first one
	State      SpanState
	GuardPages uint32 // inaccessible pages behind it
	Recorded   uint32 // SpanRecorded: Record is true; 0: it is empty
	Record     Record
	Offset     uint64 // of the user's address from Base; 0 unless guarded
	Guarded    uint32 // SpanGuarded: it has no seal, and what was asked for ends at the guard page; 0: not
	_          [28]byte
}

// SpanRecorded is Span.Recorded of a span whose Record is true.
const SpanRecorded = 0x44524f43 // "CORD"

// SpanGuarded is Span.Guarded of a span that was chosen to be guarded: in place of a seal, the slack pattern fills what is
// left of its pages, so that it ends, but for its alignment, where the guard page begins.
const SpanGuarded = 0x44525547 // "GURD"

// User is the address that the user knows.
func (s *Span) User() uint64 { return s.Base + s.Offset }

// SealBytes is what the span pays for its seal in a heap whose mode pays mode.
func (s *Span) SealBytes(mode uint64) uint64 {
	if s.Guarded == SpanGuarded {
		return 0
	}
	return mode
}

// SpanBytes is the size of a Span.
const SpanBytes = uint64(unsafe.Sizeof(Span{}))
