package inspect

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/target"
)

// How a process has a heap.
const (
	HoldOwn      = "own"      // it made the heap and has it mapped
	HoldShared   = "shared"   // it has a heap mapped that another process made
	HoldHeld     = "held"     // it holds the memory file of another process's heap open, and has it not mapped
	HoldOrphaned = "orphaned" // the same, and the process that made the heap is gone or has closed it
)

// HeapRow is a heap in a process of this machine. Sizes are in bytes.
type HeapRow struct {
	PID     int     `json:"pid"`
	Program string  `json:"program"`
	User    string  `json:"user"` // to whom the process belongs
	Heap    string  `json:"heap"` // its name
	Number  int     `json:"number"`
	Hold    string  `json:"hold"`  // own, shared, held, orphaned
	Maker   int     `json:"maker"` // process that made it, as the header says; 0: not known
	Base    Address `json:"base"`  // 0: not mapped in this process
	Mode    string  `json:"mode"`  // empty: the header can't be read, or is of another version
	Backing string  `json:"backing"`
	InUse   uint64  `json:"in_use"` // of pages of slabs, spans and guards
	Mapped  uint64  `json:"mapped"` // of arenas that hold memory
	Memory  uint64  `json:"memory"` // that the system has given the memory file, the heap's metadata included; 0: it has no file
	Version uint32  `json:"version"`
	Started int64   `json:"started"` // when the heap was made, in seconds since 1970
	Several bool    `json:"several"` // the process has further heaps: a command needs --heap
}

// PsReport lists the heaps of this machine.
type PsReport struct {
	Heaps     []HeapRow     `json:"heaps"`
	Left      int           `json:"left,omitempty"` // that match a query and are beyond its limit
	Processes int           `json:"processes"`      // that were looked into
	Refused   []RefusedTo   `json:"refused"`        // that could not be, by whose they are
	AsRoot    bool          `json:"as_root"`        // it was root who looked
	Ended     int           `json:"ended"`          // that have ended and are waited for
	Elapsed   time.Duration `json:"elapsed_ns"`
}

// RefusedTo is how many processes of a user could not be looked into.
type RefusedTo struct {
	User      string `json:"user"` // empty: not known
	Processes int    `json:"processes"`
}

// HeapColumns are the columns of the list of heaps.
var HeapColumns = query.Set[HeapRow]{
	Rows:  "heaps",
	Usual: []string{"pid", "program", "user", "heap", "hold", "maker", "mode", "backing", "base", "in_use", "mapped"},
	Columns: []query.Column[HeapRow]{
		{Head: query.Head{Name: "pid", Kind: query.Number, Meaning: "id of the process"}, Read: func(h *HeapRow) any { return h.PID }},
		{Head: query.Head{Name: "program", Kind: query.Text, Meaning: "name of its executable"}, Read: func(h *HeapRow) any { return knownText(h.Program) }},
		{Head: query.Head{Name: "user", Kind: query.Text, Meaning: "to whom the process belongs"}, Read: func(h *HeapRow) any { return knownText(h.User) }},
		{Head: query.Head{Name: "heap", Kind: query.Text, Meaning: "the heap's name"}, Read: func(h *HeapRow) any { return knownText(h.Heap) }},
		{Head: query.Head{Name: "number", Kind: query.Number, Meaning: "of the heap in its process, as --heap takes it behind a #"}, Read: func(h *HeapRow) any { return h.Number }},
		{Head: query.Head{Name: "hold", Kind: query.Word, Choices: []string{HoldOwn, HoldShared, HoldHeld, HoldOrphaned}, Meaning: "how the process has it: its own; shared: another's, mapped; held: another's, not mapped; orphaned: held, and its maker is gone"}, Read: func(h *HeapRow) any { return h.Hold }},
		{Head: query.Head{Name: "maker", Kind: query.Number, Meaning: "id of the process that made it"}, Read: func(h *HeapRow) any { return knownInt(h.Maker, h.Maker != 0) }},
		{Head: query.Head{Name: "base", Kind: query.Address, Meaning: "of its header"}, Read: func(h *HeapRow) any {
			if h.Base == 0 {
				return nil
			}
			return uint64(h.Base)
		}},
		{Head: query.Head{Name: "mode", Kind: query.Word, Choices: modeNames(), Meaning: "as it is now"}, Read: func(h *HeapRow) any { return knownText(h.Mode) }},
		{Head: query.Head{Name: "backing", Kind: query.Word, Choices: []string{layout.BackingMemfd.String(), layout.BackingFile.String(), layout.BackingAnonymous.String()}, Meaning: "what holds its memory"}, Read: func(h *HeapRow) any { return h.Backing }},
		{Head: query.Head{Name: "in_use", Kind: query.Bytes, Meaning: "of pages of slabs, spans and guards"}, Read: func(h *HeapRow) any { return knownInt(int(h.InUse), h.Mode != "") }},
		{Head: query.Head{Name: "mapped", Kind: query.Bytes, Meaning: "of arenas that hold memory"}, Read: func(h *HeapRow) any { return knownInt(int(h.Mapped), h.Mode != "") }},
		{Head: query.Head{Name: "memory", Kind: query.Bytes, Meaning: "that the system has given its file, metadata included"}, Read: func(h *HeapRow) any { return knownInt(int(h.Memory), h.Memory != 0) }},
		{Head: query.Head{Name: "version", Kind: query.Number, Meaning: "of its format"}, Read: func(h *HeapRow) any { return knownInt(int(h.Version), h.Version != 0) }},
		{Head: query.Head{Name: "started", Kind: query.Number, Meaning: "when it was made, in seconds since 1970"}, Read: func(h *HeapRow) any { return knownInt(int(h.Started), h.Started != 0) }},
	},
}

func modeNames() (names []string) {
	for _, m := range layout.Modes {
		names = append(names, m.String())
	}
	return names
}

// Ps lists the heaps of all processes of this machine. No process is stopped, and of each heap only the header is read. The
// error is the context's, or says that this system has no door for it.
func Ps(ctx context.Context, q *query.Query[HeapRow]) (*PsReport, error) {
	started := time.Now()
	s, err := target.FindProcesses(ctx)
	if err != nil {
		return nil, err
	}
	r := &PsReport{Heaps: []HeapRow{}, Refused: []RefusedTo{}, Processes: s.Processes, AsRoot: os.Geteuid() == 0, Ended: s.Ended}
	owned, refused := map[uint64]bool{}, map[int]bool{}
	heaps := map[int]int{}
	for _, h := range s.Heaps {
		owned[h.File] = owned[h.File] || h.Own
		heaps[h.PID]++
	}
	users := map[string]int{}
	for _, p := range s.Refused {
		refused[p.PID] = true
		users[p.User]++
	}
	for user, n := range users {
		r.Refused = append(r.Refused, RefusedTo{user, n})
	}
	slices.SortFunc(r.Refused, func(a, b RefusedTo) int { return cmp.Or(b.Processes-a.Processes, cmp.Compare(a.User, b.User)) })
	for _, h := range s.Heaps {
		row := HeapRow{
			PID: h.PID, Program: h.Program, User: h.User, Heap: h.Name, Number: h.Number, Maker: h.Maker, Base: Address(h.Base), Backing: h.Backing,
			Memory: h.FileBytes, Several: heaps[h.PID] > 1, Hold: hold(&h, owned[h.File] || refused[h.Maker]),
		}
		if h.Known {
			head := &h.Header
			row.Mode, row.Version, row.Started = head.Mode.String(), head.Identity.Version, head.Identity.StartedUnix
			row.InUse, row.Mapped = head.PagesInUse*layout.PageBytes, head.ArenasMapped*layout.ArenaBytes
		}
		r.Heaps = append(r.Heaps, row)
	}
	if r.Heaps, r.Left, err = q.From(r.Heaps); err != nil {
		return nil, err
	}
	r.Elapsed = time.Since(started)
	return r, nil
}

// hold says how a process has a heap. alive says that the process that made it has it still, or can't be looked into.
func hold(h *target.Sighting, alive bool) string {
	switch {
	case h.Own:
		return HoldOwn
	case h.Base != 0:
		return HoldShared
	case alive || h.Maker == 0:
		return HoldHeld
	}
	return HoldOrphaned
}

// Argument is how commands name the heap: the id of the process, and --heap where it has several.
func (h *HeapRow) Argument() string {
	if !h.Several {
		return fmt.Sprint(h.PID)
	}
	return fmt.Sprintf("%d --heap '#%d'", h.PID, h.Number)
}
