package inspect

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// LogOptions say which events Log lists. The zero value lists them all.
type LogOptions struct {
	Address  uint64           // only of blocks that hold this address; 0: any
	Size     int64            // only of this many bytes; negative: any
	Function string           // only with this text in a function's name; empty: any
	Kind     layout.EventKind // only of this kind; 0: any
	Last     int              // only the last ones; 0: all
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
	if o.Function != "" {
		if _, err := h.program.table(); err != nil && h.stacks != nil {
			return nil, &NoFunctionsError{Err: err, Advice: h.program.advised()}
		}
	}
	matching := h.events(r, func(e layout.Event) bool {
		return (o.Address == 0 || holds(e, o.Address)) && (o.Size < 0 || e.Size == uint64(o.Size)) && (o.Kind == 0 || e.Kind == o.Kind)
	})
	called := map[layout.StackRef]bool{}
	stacks := false
	for _, e := range matching {
		if o.Function != "" {
			calls, known := called[e.Stack]
			if !known {
				calls = h.calls(e.Stack, o.Function)
				called[e.Stack] = calls
			}
			if !calls {
				continue
			}
		}
		if o.Last > 0 && len(r.Events) == o.Last {
			r.Left++
			continue
		}
		stacks = stacks || e.Stack != 0
		r.Events = append(r.Events, LogEvent{
			Kind: e.Kind.String(), Address: Address(e.Address), Bytes: e.Size, P: e.p, By: h.operation(e.Goroutine, e.Sequence, e.Stack),
		})
	}
	if stacks {
		r.Notes = append(r.Notes, h.Notes()...)
	}
	return r, nil
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

// calls reports whether a function of a stack has this text in its name.
func (h *Heap) calls(ref layout.StackRef, text string) bool {
	if h.stacks == nil {
		return false
	}
	return slices.ContainsFunc(h.program.framesOf(h.stacks.stacks[ref].addresses), func(f Frame) bool { return strings.Contains(f.Function, text) })
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

// ParseEventKind reads the word for a kind of event.
func ParseEventKind(word string) (layout.EventKind, error) {
	for _, k := range []layout.EventKind{layout.EventAlloc, layout.EventFree} {
		if word == k.String() {
			return k, nil
		}
	}
	return 0, errors.New("an event is an alloc or a free, not " + fmt.Sprintf("%q", word))
}
