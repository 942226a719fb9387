package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/target"
)

// DiffOptions say what Diff lists.
type DiffOptions struct {
	Query *query.Query[DiffGroup] // which groups, in which order; nil: all, the largest change first
	Top   int                     // how many of these are listed; 0: all
	// Progress, if set, is called now and then with how many slabs, of both heaps, are done.
	Progress func(done, total int)
}

// Amount is a number of blocks and of the bytes that were asked for.
type Amount struct {
	Blocks uint64 `json:"blocks"`
	Bytes  uint64 `json:"bytes"`
}

func (a *Amount) add(b *liveBlock) {
	a.Blocks++
	a.Bytes += b.bytes
}

// DiffReport is what changed between two looks at live blocks.
type DiffReport struct {
	Before   Summary `json:"before"`
	After    Summary `json:"after"`
	SameHeap bool    `json:"same_heap"` // both are of one heap: its blocks are told apart, else they are only counted
	Was      Amount  `json:"was"`       // live before
	Is       Amount  `json:"is"`        // live after
	New      Amount  `json:"new"`       // live after, and allocated since
	Gone     Amount  `json:"gone"`      // live before, and freed since
	Kept     Amount  `json:"kept"`      // live both times
	// Compared is by what stacks were told to be the same: addresses, lines, functions; nothing: they were not.
	Compared string        `json:"compared"`
	Bins     []DiffBin     `json:"bins"`   // whose live blocks are not as many
	Groups   []DiffGroup   `json:"groups"` // by stack, the largest change first
	Left     int           `json:"left"`   // groups that are not listed
	Elapsed  time.Duration `json:"elapsed_ns"`
	Notes    []string      `json:"notes,omitempty"`
}

// DiffBin is how the live blocks of a size class changed.
type DiffBin struct {
	Size uint32 `json:"size"` // that can be written in a block; 0: spans and guarded blocks, which have no class
	Was  Amount `json:"was"`
	Is   Amount `json:"is"`
}

// DiffGroup is how the live blocks of one stack changed.
type DiffGroup struct {
	Was        Amount     `json:"was"`
	Is         Amount     `json:"is"`
	New        Amount     `json:"new"` // New, Gone and Kept are zero where blocks are not told apart
	Gone       Amount     `json:"gone"`
	Kept       Amount     `json:"kept"`
	Example    Address    `json:"example"`              // a new block, the first that was allocated; where there is none, any
	Allocated  *Operation `json:"allocated,omitempty"`  // its allocation
	Unrecorded string     `json:"unrecorded,omitempty"` // why it is not known who allocated them

	from   *Heap
	record layout.Record // of the example
	why    unrecorded
	shown  exampleOf
}

// exampleOf says which of a group's blocks is its example: the later ones are the better ones.
type exampleOf uint8

const (
	noExample exampleOf = iota
	goneExample
	keptExample
	newExample
)

// Growth is by how much the group's blocks and bytes grew.
func (g *DiffGroup) Growth() (blocks, bytes int64) {
	return int64(g.Is.Blocks) - int64(g.Was.Blocks), int64(g.Is.Bytes) - int64(g.Was.Bytes)
}

// changed reports whether anything did.
func (g *DiffGroup) changed() bool { return g.Was != g.Is || g.New.Blocks+g.Gone.Blocks > 0 }

// DiffColumns are the columns of a list of what changed.
var DiffColumns = query.Set[DiffGroup]{
	Rows:  "groups",
	Usual: []string{"bytes", "blocks", "new", "gone", "kept", "example", "site", "line"},
	Columns: []query.Column[DiffGroup]{
		{Head: query.Head{Name: "bytes", Kind: query.Bytes, Meaning: "by which they grew; negative: they shrank"}, Read: func(g *DiffGroup) any { _, n := g.Growth(); return int(n) }},
		{Head: query.Head{Name: "blocks", Kind: query.Count, Meaning: "by which they grew"}, Read: func(g *DiffGroup) any { n, _ := g.Growth(); return int(n) }},
		{Head: query.Head{Name: "was_bytes", Kind: query.Bytes, Meaning: "that were live before"}, Read: func(g *DiffGroup) any { return int(g.Was.Bytes) }},
		{Head: query.Head{Name: "was", Kind: query.Count, Meaning: "blocks that were live before"}, Read: func(g *DiffGroup) any { return int(g.Was.Blocks) }},
		{Head: query.Head{Name: "is_bytes", Kind: query.Bytes, Meaning: "that are live after"}, Read: func(g *DiffGroup) any { return int(g.Is.Bytes) }},
		{Head: query.Head{Name: "is", Kind: query.Count, Meaning: "blocks that are live after"}, Read: func(g *DiffGroup) any { return int(g.Is.Blocks) }},
		{Head: query.Head{Name: "new", Kind: query.Count, Meaning: "blocks that were allocated in between and are live"}, Read: func(g *DiffGroup) any { return int(g.New.Blocks) }},
		{Head: query.Head{Name: "new_bytes", Kind: query.Bytes, Meaning: "of these"}, Read: func(g *DiffGroup) any { return int(g.New.Bytes) }},
		{Head: query.Head{Name: "gone", Kind: query.Count, Meaning: "blocks that were freed in between"}, Read: func(g *DiffGroup) any { return int(g.Gone.Blocks) }},
		{Head: query.Head{Name: "gone_bytes", Kind: query.Bytes, Meaning: "of these"}, Read: func(g *DiffGroup) any { return int(g.Gone.Bytes) }},
		{Head: query.Head{Name: "kept", Kind: query.Count, Meaning: "blocks that are live both times"}, Read: func(g *DiffGroup) any { return int(g.Kept.Blocks) }},
		{Head: query.Head{Name: "kept_bytes", Kind: query.Bytes, Meaning: "of these"}, Read: func(g *DiffGroup) any { return int(g.Kept.Bytes) }},
		{Head: query.Head{Name: "example", Kind: query.Address, Meaning: "of the first new block; where there is none, of any"}, Read: func(g *DiffGroup) any { return uint64(g.Example) }},
		{Head: query.Head{Name: "sequence", Kind: query.Number, Meaning: "of its allocation, among the heap's recorded operations"}, Read: func(g *DiffGroup) any { return sequenceOf(g.Allocated) }},
		{Head: query.Head{Name: "goroutine", Kind: query.Number, Meaning: "that allocated it"}, Read: func(g *DiffGroup) any { return goroutineOf(g.Allocated) }},
		{Head: query.Head{Name: "site", Kind: query.Function, Meaning: "innermost function that allocated them and is not the allocator's"}, Read: func(g *DiffGroup) any { return knownText(callsOf(g.Allocated).site) }},
		{Head: query.Head{Name: "line", Kind: query.Text, Meaning: "where that is: file:line"}, Read: func(g *DiffGroup) any { return knownText(callsOf(g.Allocated).line) }},
		{Head: query.Head{Name: "stack", Kind: query.Function, Meaning: "all functions of the allocation, the innermost first"}, Read: func(g *DiffGroup) any { return knownText(callsOf(g.Allocated).stack) }},
		{Head: query.Head{Name: "unrecorded", Kind: query.Text, Meaning: "why it is not known who allocated them"}, Read: func(g *DiffGroup) any { return knownText(g.Unrecorded) }},
	},
}

// Diff tells what changed between two heaps, each as it was when it was opened. Of two looks at one heap each live block is told
// apart: by its address and the number of its allocation, or, where that is not recorded, by its address and size. Of different
// heaps, of other runs or other builds of a program too, blocks are counted by stack and by size class.
//
// It takes 32 bytes of memory for each block that was live before.
func Diff(ctx context.Context, before, after *Heap, o DiffOptions) (*DiffReport, error) {
	for _, h := range []*Heap{before, after} {
		if err := h.usable(); err != nil {
			return nil, err
		}
	}
	started := time.Now()
	d := newDifference(before, after)
	if o.Query != nil {
		for _, h := range []*Heap{before, after} {
			if err := h.named(o.Query); err != nil {
				return nil, err
			}
		}
	}
	total := len(before.slabs) + len(after.slabs)
	progress := func(from int) func(done, _ int) {
		if o.Progress == nil {
			return nil
		}
		return func(done, _ int) { o.Progress(from+done, total) }
	}
	if err := before.eachLive(ctx, progress(0), d.was); err != nil {
		return nil, err
	}
	d.sort()
	if err := after.eachLive(ctx, progress(len(before.slabs)), d.is); err != nil {
		return nil, err
	}
	d.rest()
	return d.report(o, started)
}

// difference is what is being found out.
type difference struct {
	before, after *Heap
	same          bool
	stacks        stackMatch
	r             DiffReport
	earlier       []earlierBlock // live before, by address; only of the same heap
	next          int            // behind the block that was found last: the next one is likely to follow
	matched       bitset         // of these, which are live after
	assumed       uint64         // blocks that were matched without a number
	bins          map[uint32]*DiffBin
	groups        map[string]*DiffGroup
}

// earlierBlock is what is kept of a block that was live before.
type earlierBlock struct {
	address, sequence, bytes uint64
	group                    *DiffGroup
}

func newDifference(before, after *Heap) *difference {
	d := &difference{before: before, after: after, same: before.sameHeap(after), bins: map[uint32]*DiffBin{}, groups: map[string]*DiffGroup{}}
	d.stacks = matchStacks(before, after, d.same)
	if d.same {
		most := len(before.spans)
		for _, s := range before.slabs {
			most += s.carved()
		}
		d.earlier = make([]earlierBlock, 0, most)
	}
	return d
}

// sameHeap reports whether two looks are at one heap: the secret is a random number.
func (h *Heap) sameHeap(other *Heap) bool {
	a, b := &h.id, &other.id
	return a.Secret == b.Secret && a.Base == b.Base && a.PID == b.PID && a.StartedUnix == b.StartedUnix
}

func (d *difference) bin(room uint32) *DiffBin {
	b := d.bins[room]
	if b == nil {
		b = &DiffBin{Size: room}
		d.bins[room] = b
	}
	return b
}

// group is the group of a block of one of the two heaps.
func (d *difference) group(s *sideStacks, b *liveBlock) *DiffGroup {
	key, why := s.key(b)
	g := d.groups[key]
	if g == nil {
		g = &DiffGroup{why: why}
		d.groups[key] = g
	}
	return g
}

// show makes a block the group's example, if it is a better one.
func (g *DiffGroup) show(h *Heap, b *liveBlock, as exampleOf) {
	if as < g.shown || as == g.shown && (b.why != recorded || b.record.AllocSequence >= g.record.AllocSequence) {
		return
	}
	g.from, g.shown, g.Example, g.record = h, as, Address(b.address), b.record
}

// was takes a block that was live before.
func (d *difference) was(b liveBlock) {
	g := d.group(&d.stacks.before, &b)
	d.r.Was.add(&b)
	d.bin(b.room).Was.add(&b)
	g.Was.add(&b)
	g.show(d.before, &b, goneExample)
	if d.same {
		d.earlier = append(d.earlier, earlierBlock{b.address, b.sequence(), b.bytes, g})
	}
}

// sequence is the number of a block's allocation; 0: it was not recorded.
func (b *liveBlock) sequence() uint64 {
	if b.why != recorded {
		return 0
	}
	return b.record.AllocSequence
}

func (d *difference) sort() {
	slices.SortFunc(d.earlier, func(a, b earlierBlock) int { return cmp.Compare(a.address, b.address) })
	d.matched = newBitset(uint32(len(d.earlier)))
}

// is takes a block that is live after.
func (d *difference) is(b liveBlock) {
	g := d.group(&d.stacks.after, &b)
	d.r.Is.add(&b)
	d.bin(b.room).Is.add(&b)
	g.Is.add(&b)
	switch {
	case !d.same:
		g.show(d.after, &b, keptExample)
	case d.match(&b):
		d.r.Kept.add(&b)
		g.Kept.add(&b)
		g.show(d.after, &b, keptExample)
	default:
		d.r.New.add(&b)
		g.New.add(&b)
		g.show(d.after, &b, newExample)
	}
}

// match reports whether a block was live before, too.
func (d *difference) match(b *liveBlock) bool {
	i := d.next
	if i >= len(d.earlier) || d.earlier[i].address != b.address {
		var found bool
		i, found = slices.BinarySearchFunc(d.earlier, b.address, func(e earlierBlock, address uint64) int { return cmp.Compare(e.address, address) })
		if d.next = i; !found {
			return false
		}
	}
	d.next = i + 1
	e := &d.earlier[i]
	if e.sequence != b.sequence() || e.sequence == 0 && e.bytes != b.bytes {
		return false
	}
	if e.sequence == 0 {
		d.assumed++
	}
	d.matched.add(uint32(i))
	return true
}

// rest counts what was live before and is not any more.
func (d *difference) rest() {
	for i := range d.earlier {
		if e := &d.earlier[i]; !d.matched.has(uint32(i)) {
			b := liveBlock{bytes: e.bytes}
			d.r.Gone.add(&b)
			e.group.Gone.add(&b)
		}
	}
}

// report is the answer.
func (d *difference) report(o DiffOptions, started time.Time) (*DiffReport, error) {
	r := &d.r
	r.SameHeap, r.Compared = d.same, d.stacks.by
	r.Before, r.After = d.before.summary(passCounts{}), d.after.summary(passCounts{})
	r.Before.LiveBlocks, r.After.LiveBlocks = r.Was.Blocks, r.Is.Blocks
	r.Bins, r.Groups = []DiffBin{}, []DiffGroup{}
	for _, b := range d.bins {
		if b.Was != b.Is {
			r.Bins = append(r.Bins, *b)
		}
	}
	slices.SortFunc(r.Bins, func(a, b DiffBin) int { return cmp.Compare(a.Size-1, b.Size-1) }) // what has no class comes last
	stacks := false
	for _, g := range d.groups {
		if !g.changed() {
			continue
		}
		if g.Unrecorded = g.why.String(); g.why == recorded || g.why == stackLost {
			g.Allocated = g.from.operation(g.record.AllocGoroutine, g.record.AllocSequence, g.record.AllocStack)
			stacks = stacks || g.why == recorded
		}
		r.Groups = append(r.Groups, *g)
	}
	slices.SortFunc(r.Groups, func(a, b DiffGroup) int {
		_, x := a.Growth()
		_, y := b.Growth()
		return cmp.Or(cmp.Compare(max(y, -y), max(x, -x)), cmp.Compare(b.New.Bytes, a.New.Bytes), cmp.Compare(b.Is.Blocks, a.Is.Blocks), cmp.Compare(a.Example, b.Example))
	})
	var err error
	if r.Groups, _, err = o.Query.From(r.Groups); err != nil {
		return nil, err
	}
	r.Cut(o.Top)
	d.notes(stacks)
	r.Elapsed = time.Since(started)
	return r, nil
}

// Cut leaves the first groups in the list, as DiffOptions.Top does. 0 leaves all.
func (r *DiffReport) Cut(top int) {
	if top > 0 && len(r.Groups) > top {
		r.Left += len(r.Groups) - top
		r.Groups = r.Groups[:top]
	}
}

// notes say what could not be compared.
func (d *difference) notes(stacks bool) {
	note := func(format string, values ...any) { d.r.Notes = append(d.r.Notes, fmt.Sprintf(format, values...)) }
	switch {
	case !d.same:
		note("these are two heaps: which blocks are new and which are gone can't be told, only how many there are of each stack and size")
	case d.isOlder():
		note("the second look is older than the first: what is called new was freed in between, and what is called gone was allocated")
	}
	if d.assumed > 0 {
		note("of %d blocks no allocation is recorded: one at the same address and of the same size is taken for the same one, though it may have been freed and allocated again", d.assumed)
	}
	if d.stacks.note != "" && stacks {
		note("%s", d.stacks.note)
	}
	if d.before.id.Geometry != d.after.id.Geometry || d.before.sealed() != d.after.sealed() {
		note("the two heaps have different size classes: the same sizes fall into other bins")
	}
	if stacks {
		names := append(d.before.Notes(), d.after.Notes()...)
		slices.Sort(names)
		d.r.Notes = append(d.r.Notes, slices.Compact(names)...)
	}
	for _, h := range []*Heap{d.before, d.after} {
		if rate := report.SampledRate(h.header.Mode, h.header.ProfileRate, h.header.GuardRate); rate > 1 {
			note("who allocated is recorded for one of %d blocks: the groups count these, and do not stand for the others", rate)
			break
		}
	}
	if unaudited := d.groups[unrecordedKey(beforeAudit)]; unaudited != nil {
		note("%d blocks before and %d after were allocated while their heap was not audited: nobody knows by whom", unaudited.Was.Blocks, unaudited.Is.Blocks)
	}
}

// isOlder reports whether the heap's operations had come less far at the second look.
func (d *difference) isOlder() bool {
	a, b := d.before.target.Description(), d.after.target.Description()
	taken := !b.Taken.IsZero() && (a.Kind == target.KindProcess || b.Taken.Before(a.Taken))
	return taken || d.after.header.Sequence < d.before.header.Sequence
}
