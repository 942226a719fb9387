package inspect

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect/query"
)

// LeakOptions say what Leaks lists.
type LeakOptions struct {
	Query *query.Query[LeakGroup] // only these groups, in that order; nil: all, the most bytes first
	Top   int                     // how many of these are listed; 0: all
	// Progress, if set, is called now and then with how many of the slabs are done.
	Progress func(done, total int)
}

// LeaksReport is the live blocks, by who allocated them. Sizes are in bytes, as asked for.
type LeaksReport struct {
	Heap        Summary       `json:"heap"`
	Unreachable bool          `json:"unreachable"`        // only blocks that nothing in the process refers to
	Sampled     uint64        `json:"sampled,omitempty"`  // who allocated is recorded for one of this many: the groups are estimates; 0: for all
	Groups      []LeakGroup   `json:"groups"`             // the most bytes first
	Left        int           `json:"left"`               // groups that are not listed
	Excluded    int           `json:"excluded,omitempty"` // groups that the query leaves out
	Blocks      uint64        `json:"blocks"`             // there are, whatever the groups estimate
	Bytes       uint64        `json:"bytes"`
	Live        uint64        `json:"live"`                 // blocks there are
	LiveBytes   uint64        `json:"live_bytes"`           //
	RootBytes   uint64        `json:"root_bytes,omitempty"` // of the process's other memory, that was searched for references
	Elapsed     time.Duration `json:"elapsed_ns"`
	Stopped     time.Duration `json:"stopped_ns"` // how long the process was held still
	Notes       []string      `json:"notes,omitempty"`
}

// LeakGroup is the blocks that one stack allocated; of unreachable blocks, the heads: the blocks that no other unreachable
// block refers to.
type LeakGroup struct {
	Blocks     uint64     `json:"blocks"`
	Bytes      uint64     `json:"bytes"`
	Below      uint64     `json:"below,omitempty"` // unreachable blocks that only these lead to
	BelowBytes uint64     `json:"below_bytes,omitempty"`
	Least      uint64     `json:"least"`                // bytes of the smallest block
	Most       uint64     `json:"most"`                 // and of the largest
	Example    Address    `json:"example"`              // the block that was allocated first
	Oldest     *Operation `json:"oldest,omitempty"`     // its allocation
	Unrecorded string     `json:"unrecorded,omitempty"` // why it is not known who allocated them
	Samples    uint64     `json:"samples,omitempty"`    // recorded blocks that the numbers are estimated from; 0: they were counted

	stack  layout.StackRef
	why    unrecorded
	cutOff bool // the outermost calls were not kept
}

// groupKey is what blocks of a group have in common.
type groupKey struct {
	stack layout.StackRef
	why   unrecorded
}

// groups are the groups of blocks, as they are being counted.
type groups struct {
	heap *Heap
	of   map[groupKey]*group
	all  amount   // of the blocks that sampling may choose
	seen amount   // of these, those that are recorded
	last groupKey // neighbours are often of one group
	hit  *group
}

type group struct {
	LeakGroup
	sampled amount        // in blocks that sampling may choose: to be scaled
	record  layout.Record // of the oldest
}

// amount is how much there is in blocks, and below them.
type amount struct{ blocks, bytes, below, belowBytes uint64 }

func (a *amount) add(bytes, below, belowBytes uint64) {
	a.blocks++
	a.bytes += bytes
	a.below += below
	a.belowBytes += belowBytes
}

// add counts a block, with those below it.
func (g *groups) add(b *liveBlock, below, belowBytes uint64) {
	key := groupKey{b.record.AllocStack, b.why}
	switch {
	case b.why != recorded:
		key.stack = 0
	case !g.heap.stored(key.stack):
		key = groupKey{why: stackLost}
	}
	if g.hit == nil || key != g.last {
		if g.hit = g.of[key]; g.hit == nil {
			g.hit = &group{LeakGroup: LeakGroup{Least: b.bytes, Example: Address(b.address), stack: key.stack, why: key.why}, record: b.record}
			g.of[key] = g.hit
		}
		g.last = key
	}
	at := g.hit
	at.Blocks++
	at.Bytes += b.bytes
	at.Below += below
	at.BelowBytes += belowBytes
	if !b.large && b.why != sealUnreadable {
		g.all.add(b.bytes, below, belowBytes)
		at.sampled.add(b.bytes, below, belowBytes)
		if b.why != beforeAudit {
			g.seen.add(b.bytes, below, belowBytes)
		}
	}
	at.Least, at.Most = min(at.Least, b.bytes), max(at.Most, b.bytes)
	if b.why == recorded && (b.record.AllocSequence < at.record.AllocSequence || at.record.AllocSequence == 0) {
		at.record, at.Example = b.record, Address(b.address)
	}
}

// list fills a report's list: the most bytes first, or as the query has it.
func (g *groups) list(r *LeaksReport, o LeakOptions) error {
	if o.Query != nil {
		if err := g.heap.named(o.Query); err != nil {
			return err
		}
	}
	top := o.Top
	if o.Query != nil && o.Query.Selects() {
		top = 0 // which are the first is not known yet
	}
	all := make([]*group, 0, len(g.of))
	for _, at := range g.of {
		all = append(all, at)
		r.Blocks += at.Blocks + at.Below
		r.Bytes += at.Bytes + at.BelowBytes
	}
	if r.Sampled = report.SampledRate(g.heap.header.Mode, g.heap.header.ProfileRate, g.heap.header.GuardRate); r.Sampled > 1 {
		all = g.scale(all, r.Sampled)
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.Bytes+b.BelowBytes, a.Bytes+a.BelowBytes), cmp.Compare(b.Blocks+b.Below, a.Blocks+a.Below), cmp.Compare(a.Example, b.Example))
	})
	r.Groups = []LeakGroup{}
	stacks := false
	for i, at := range all {
		if top > 0 && i == top {
			r.Left = len(all) - i
			break
		}
		at.Unrecorded = at.why.String()
		if r.Sampled > 1 && at.why == beforeAudit {
			at.Unrecorded = "allocated before the profile began"
		}
		if at.why == recorded || at.why == stackLost {
			at.Oldest = g.heap.operation(at.record.AllocGoroutine, at.record.AllocSequence, at.stack)
		}
		if at.stack != 0 {
			stacks = true
			at.cutOff = !g.heap.program.whole(g.heap.stacks.stacks[at.stack].addresses)
		}
		r.Groups = append(r.Groups, at.LeakGroup)
	}
	if stacks {
		r.Notes = append(r.Notes, g.heap.Notes()...)
	}
	if r.Sampled > 1 {
		r.Notes = append(r.Notes, sampledNote(r.Sampled))
	} else {
		r.Notes = append(r.Notes, g.modeNotes()...)
	}
	return r.choose(o)
}

// modeNotes say what to do where it is not recorded who allocated.
func (g *groups) modeNotes() []string {
	unaudited := g.of[groupKey{why: beforeAudit}] != nil
	switch mode := g.heap.header.Mode; {
	case !unaudited:
		return nil
	case !g.heap.format.audit:
		return []string{g.heap.format.withoutAudit("record of who allocated")}
	case mode == layout.ModePlain:
		return []string{"mode plain: neither who allocated nor how much was asked for is recorded; make the heap with ModeAudit"}
	case mode == layout.ModeAudit:
		return []string{"what was allocated before the audit began is not recorded: make the heap with ModeAudit"}
	default:
		return []string{"mode " + mode.String() + ": who allocated is not recorded; make the heap with ModeAudit" + g.heap.orSetMode()}
	}
}

// choose leaves in the list what a query selects, and the first of that.
func (r *LeaksReport) choose(o LeakOptions) error {
	found := len(r.Groups)
	groups, _, err := o.Query.From(r.Groups)
	if err != nil {
		return err
	}
	r.Groups, r.Excluded = groups, found-len(groups)
	r.Cut(o.Top)
	return nil
}

// Cut leaves the first groups in the list, as LeakOptions.Top does. 0 leaves all.
func (r *LeaksReport) Cut(top int) {
	if top > 0 && len(r.Groups) > top {
		r.Left += len(r.Groups) - top
		r.Groups = r.Groups[:top]
	}
}

// Leaks groups the live blocks, spans and guarded blocks by the stack that allocated them. Blocks that a running process frees
// or allocates meanwhile may be counted or not.
func (h *Heap) Leaks(ctx context.Context, o LeakOptions) (*LeaksReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	started := time.Now()
	r := &LeaksReport{}
	g := groups{heap: h, of: map[groupKey]*group{}}
	if err := h.eachLive(ctx, o.Progress, func(b liveBlock) {
		r.Live++
		r.LiveBytes += b.bytes
		g.add(&b, 0, 0)
	}); err != nil {
		return nil, err
	}
	if err := g.list(r, o); err != nil {
		return nil, err
	}
	r.Heap = h.summary(passCounts{})
	r.Heap.LiveBlocks = r.Live
	r.Elapsed = time.Since(started)
	return r, nil
}
