package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/query"
)

// LogOptions say which events Log lists. The zero value lists them all.
type LogOptions struct {
	Query *query.Query[LogEvent] // only those, in that order; nil: all, newest first
	Last  int                    // only the first of these; 0: all
}

// LogWords are flags of log as conditions.
type LogWords struct {
	Address  uint64 // only of blocks that hold this address; 0: any
	Size     int64  // only of this many bytes; negative: any
	Function string // only with this text in a function's name; empty: any
	Kind     string // only of this kind; empty: any
}

// Conditions are the flags as expressions.
func (w LogWords) Conditions() (all []string) {
	if w.Address != 0 {
		all = append(all, fmt.Sprintf("address == %[1]d or address < %[1]d and %[1]d < address + size", w.Address))
	}
	if w.Size >= 0 {
		all = append(all, fmt.Sprintf("size == %d", w.Size))
	}
	if w.Function != "" {
		all = append(all, "stack contains "+strconv.Quote(w.Function))
	}
	if w.Kind != "" {
		all = append(all, "kind == "+strconv.Quote(w.Kind))
	}
	return all
}

// LogReport is what the Ps' logs remember, newest first.
type LogReport struct {
	Heap   Summary    `json:"heap"`
	Events []LogEvent `json:"events"`
	Left   int        `json:"left"` // that would be listed, but for LogOptions.Last
	Kept   int        `json:"kept"` // events that the logs hold
	Ever   uint64     `json:"ever"` // that were ever written
	Notes  []string   `json:"notes,omitempty"`
}

// LogEvent is one audited operation.
type LogEvent struct {
	Kind    string     `json:"kind"` // alloc, free
	Address Address    `json:"address"`
	Bytes   uint64     `json:"bytes"` // that were asked for
	P       int        `json:"p"`     // in whose log it is
	By      *Operation `json:"by"`
}

// Log merges the logs of all Ps by the operations' sequence, newest first. Between Ps the order is only roughly that of time,
// because each reserves its numbers in batches.
func (h *Heap) Log(o LogOptions) (*LogReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	r := &LogReport{Heap: h.summary(passCounts{}), Events: []LogEvent{}}
	r.Notes = h.logNotes()
	if o.Query != nil {
		if err := h.named(o.Query); err != nil {
			return nil, err
		}
	}
	r.Events = h.logged(h.events(r, func(layout.Event) bool { return true }))
	var err error
	if r.Events, _, err = o.Query.From(r.Events); err != nil {
		return nil, err
	}
	if o.Last > 0 && len(r.Events) > o.Last {
		r.Left = len(r.Events) - o.Last
		r.Events = r.Events[:o.Last]
	}
	if slices.ContainsFunc(r.Events, func(e LogEvent) bool { return e.By != nil && e.By.Stack != 0 }) {
		r.Notes = append(r.Notes, h.Notes()...)
	}
	return r, nil
}

// logged are events as reports have them.
func (h *Heap) logged(events []loggedEvent) []LogEvent {
	list := make([]LogEvent, len(events))
	for i, e := range events {
		list[i] = LogEvent{Kind: e.Kind.String(), Address: Address(e.Address), Bytes: e.Size, P: e.p, By: h.operation(e.Goroutine, e.Sequence, e.Stack)}
	}
	return list
}

// NoFunctionsError says that a question about functions can't be answered.
type NoFunctionsError struct {
	Err    error
	Advice string
}

// Error says what to give.
func (e *NoFunctionsError) Error() string {
	return fmt.Sprintf("the functions of this heap's program are not known: %v; %s", e.Err, e.Advice)
}

// Unwrap is why they are not known.
func (e *NoFunctionsError) Unwrap() error { return e.Err }

// loggedEvent is an event with the P in whose log it is.
type loggedEvent struct {
	layout.Event
	p int
}

// events are the events of all logs that are wanted, newest first. It counts them all.
func (h *Heap) events(r *LogReport, wanted func(e layout.Event) bool) (matching []loggedEvent) {
	for p, j := range h.journals {
		r.Ever += j.Events
		for k := range min(j.Events, layout.LogEvents) {
			e := j.Log[(j.Events-1-k)%layout.LogEvents]
			if e.Kind != layout.EventAlloc && e.Kind != layout.EventFree {
				continue // being written, or damaged: nobody relies on logs
			}
			r.Kept++
			if wanted(e) {
				matching = append(matching, loggedEvent{e, p})
			}
		}
	}
	slices.SortStableFunc(matching, func(a, b loggedEvent) int { return cmp.Compare(b.Sequence, a.Sequence) })
	return matching
}

// holds reports whether the block of an event holds an address.
func holds(e layout.Event, address uint64) bool {
	return address == e.Address || address-e.Address < e.Size
}

// logNotes say why there may be fewer events than one would expect.
func (h *Heap) logNotes() []string {
	if note := h.format.withoutAudit("log"); note != "" {
		return []string{note}
	}
	if h.header.Mode == layout.ModeAudit {
		return nil
	}
	if len(h.journals) == 0 {
		return []string{"mode " + h.header.Mode.String() + ": operations are not logged; make the heap with ModeAudit" + h.orSetMode()}
	}
	return []string{"mode " + h.header.Mode.String() + " now: the log ends where the audit ended"}
}

func (h *Heap) orSetMode() string {
	if h.header.Mode == layout.ModePlain {
		return "" // which can't become another
	}
	return ", or call SetMode(ModeAudit)"
}
