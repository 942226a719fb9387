package inspect

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// CheckOptions say how Check goes about it.
type CheckOptions struct {
	// Progress, if set, is called now and then with how many of the slabs are done. Several goroutines may call it.
	Progress func(done, total int)
	// Program names the functions of recorded stacks; nil: they are addresses.
	Program *Program
}

// CheckReport is the answer to "is anything wrong?".
type CheckReport struct {
	Heap      Summary       `json:"heap"`
	Findings  []Finding     `json:"findings"`            // damage, certain
	Unsettled []Finding     `json:"unsettled,omitempty"` // could be damage or an operation under way
	Structs   int           `json:"structs"`             // that were judged
	Blocks    uint64        `json:"blocks"`              // whose seals were read
	Bytes     uint64        `json:"bytes"`               // of metadata and blocks that were read
	Elapsed   time.Duration `json:"elapsed_ns"`
	Stopped   time.Duration `json:"stopped_ns"` // the longest that the process was held still
	Stops     int           `json:"stops"`
	Missing   *Missing      `json:"missing,omitempty"` // of the heap, from a core
	Notes     []string      `json:"notes,omitempty"`
}

// Healthy reports whether nothing is wrong for certain.
func (r *CheckReport) Healthy() bool { return len(r.Findings) == 0 }

// Check asks a heap whether anything is wrong. A running process is looked at while it runs; only what looks wrong then is
// looked at again while it is held still, for as long as its metadata take to copy, so that an operation under way is not
// taken for damage. A heap of this process can't be held still: it is looked at until it did not change meanwhile, or what was found
// stayed the same. Damage is no error: an error says that there was nothing to look at, or is the context's.
func Check(ctx context.Context, t target.Target, o CheckOptions) (*CheckReport, error) {
	started := time.Now()
	var c capture
	if err := c.take(t); err != nil {
		return nil, err
	}
	r := &CheckReport{Findings: []Finding{}}
	h := decode(t, &c)
	h.program = o.Program
	stopper, running := t.(target.Stopper)
	found, err := r.look(ctx, h, o, nil)
	if r.Missing = h.Missing(); r.Missing != nil {
		h.countMissing(r.Missing, found.suspects)
		r.Blocks -= min(r.Blocks, r.Missing.Blocks)
		r.Notes = append(r.Notes, r.Missing.String())
	}
	if err == nil && !(running && h.sound) {
		err = h.diagnoseAll(&found)
	}
	if err != nil {
		return nil, err
	}
	if _, own := t.(target.Own); own && h.sound && found.any() {
		if h, found, err = r.rest(ctx, t, h, &c, found, o); err != nil {
			return nil, err
		}
	}
	if running && h.sound && found.onlyBlocks() {
		if found, err = r.acquit(ctx, t, stopper, h, found); err != nil {
			return nil, err
		}
	}
	if running && h.sound && found.any() {
		h, found, err = r.settle(ctx, t, stopper, h.id.Base, found, o)
		if err != nil {
			return nil, err
		}
	}
	r.Heap = h.summary(found.counts)
	reconsiderCauses(found.findings)
	for _, f := range found.findings {
		if r.Missing != nil && r.Missing.MetadataBytes > 0 {
			f.Severity = SeverityUnsettled
		}
		if f.Severity == SeverityDamage {
			r.Findings = append(r.Findings, f)
		} else {
			r.Unsettled = append(r.Unsettled, f)
		}
	}
	if n := len(r.Unsettled); n > 0 {
		reason := "could be an operation under way: a lock of the heap was held, or the process could not be held still"
		switch kind := t.Description().Kind; {
		case r.Missing != nil && r.Missing.MetadataBytes > 0:
			reason = "could follow from what is missing"
		case kind == target.KindEnded:
			reason = "could be an operation that was under way when the process ended: it held a lock of the heap"
		case kind == target.KindCore:
			reason = "could be an operation that was under way when the core was made: a lock of the heap was held"
		}
		r.Notes = append(r.Notes, fmt.Sprintf("%d %s %s", n, plural(n, "thing"), reason))
	}
	if h.blind {
		r.Notes = append(r.Notes, missing+". Seals were verified, and not what lies before them: the slack, the poison of freed blocks, guarded blocks")
	}
	if slices.ContainsFunc(slices.Concat(r.Findings, r.Unsettled), func(f Finding) bool { return f.Block.HasStack() }) {
		r.Notes = append(r.Notes, h.Notes()...)
	}
	if still, ok := t.(target.StandingStill); ok {
		r.Stops = 1
		if r.Stopped, err = still.StoodStill(); err != nil {
			return nil, err
		}
	}
	r.Elapsed = time.Since(started)
	return r, nil
}

// looked is what one look at a heap found.
type looked struct {
	findings []Finding
	suspects []suspect // blocks, before they were diagnosed
	spans    []*Span   // likewise
	guarded  []int     // slots of guarded blocks, likewise
	guards   uint64    // where their pages lie
	counts   passCounts
}

func (l looked) any() bool {
	return len(l.findings) > 0 || len(l.suspects) > 0 || len(l.spans) > 0 || len(l.guarded) > 0
}

// onlyBlocks reports whether nothing but blocks of slabs looked wrong.
func (l looked) onlyBlocks() bool {
	return len(l.suspects) > 0 && len(l.findings) == 0 && len(l.spans) == 0 && len(l.guarded) == 0
}

// look judges every struct of a decoded heap and looks at its blocks: at all of them, or, after an earlier look, only at
// those that it suspected. Those whose bytes don't fit are left as suspects.
func (r *CheckReport) look(ctx context.Context, h *Heap, o CheckOptions, earlier *looked) (looked, error) {
	var l looked
	h.judgeHeader(func(j Judgement) {
		for _, v := range j.Verdicts {
			l.findings = append(l.findings, fromVerdict(CodeHeader, j.Name, uint64(j.Address), v))
		}
	}, false)
	if !h.sound {
		if len(l.findings) == 0 {
			l.findings = append(l.findings, fromVerdict(CodeHeader, "Header.Identity", h.target.Base(), layout.Verdict{Field: "(all)", Found: "figures that contradict each other", Expected: "a header that a heap wrote"}))
		}
		return l, nil
	}
	l.guards = h.id.GuardPages
	result, err := pass{seals: earlier == nil, structs: &StructsOptions{Wrong: true, MostWrong: mostProblems}, progress: o.Progress}.run(ctx, h)
	if err != nil {
		return l, err
	}
	l.counts = result.counts
	l.findings = append(l.findings, h.problems.findings()...)
	var wrong problems // of fields
	visit := func(j Judgement) {
		for _, v := range j.Verdicts {
			wrong.add(v.UnderWay, func() Finding { return fromVerdict(CodeMetadata, j.Name, uint64(j.Address), v) })
		}
	}
	h.judge(result.counts, visit, false)
	for _, j := range result.structs.kept {
		visit(j)
	}
	wrong.damage += result.structs.faulty.wrong
	wrong.unsettled += result.structs.faulty.underWay
	l.findings = append(l.findings, wrong.findings()...)
	l.findings = append(l.findings, result.findings...)
	l.suspects = result.suspects
	if earlier == nil {
		r.Structs = h.structCount()
		r.Blocks = result.counts.blocks
		r.Bytes = result.counts.dataBytes + h.metadataBytes()
		for _, s := range h.spans {
			f, err := h.diagnoseSpan(s)
			if err != nil {
				return l, err
			}
			if f != nil {
				l.spans = append(l.spans, s)
			}
		}
		if l.guarded, err = h.damagedGuarded(); err != nil {
			return l, err
		}
	} else {
		l.suspects, l.spans = h.again(*earlier)
		if h.guards != nil {
			l.guarded = earlier.guarded
		}
		l.counts.blocks, l.counts.dataBytes = earlier.counts.blocks, earlier.counts.dataBytes
	}
	return l, nil
}

// again finds the suspects of an earlier look in h. Those whose slab or span is gone are suspect no longer.
func (h *Heap) again(earlier looked) (blocks []suspect, spans []*Span) {
	for _, old := range earlier.suspects {
		if s := h.slabAt(old.slab.base); s != nil && s.base == old.slab.base && s.class.Stride == old.slab.class.Stride {
			blocks = append(blocks, suspect{s, old.index})
		}
	}
	for _, old := range earlier.spans {
		// A span of another size is another one: the end of the old one, which is what was copied, means nothing any more.
		if s := h.spanAt(old.base); s != nil && s.base == old.base && s.Pages == old.Pages && s.Requested == old.Requested {
			spans = append(spans, s)
		}
	}
	return blocks, spans
}

// mostDescribed is how many damaged blocks are described one by one. The others are only counted.
const mostDescribed = 1000

// diagnoseAll turns those of the suspects that are damaged into findings.
func (h *Heap) diagnoseAll(l *looked) error {
	var c census
	var counted *Slab
	described, left := 0, 0
	add := func(f *Finding, err error) error {
		switch {
		case err != nil || f == nil:
			return err
		case described >= mostDescribed:
			left++
		default:
			described++
			l.findings = append(l.findings, *f)
		}
		return nil
	}
	for _, s := range l.suspects {
		if s.slab != counted {
			c.count(s.slab, nil)
			counted = s.slab
		}
		if err := add(h.diagnose(s.slab, s.index, &c)); err != nil {
			return err
		}
	}
	for _, i := range l.guarded {
		if err := add(h.diagnoseGuarded(i)); err != nil {
			return err
		}
	}
	for _, s := range l.spans {
		if err := add(h.diagnoseSpan(s)); err != nil {
			return err
		}
	}
	if left > 0 {
		l.findings = append(l.findings, Finding{Code: CodeOverflow, Severity: SeverityDamage, Address: Address(h.id.Data),
			Summary: fmt.Sprintf("%d more damaged blocks, which are not listed", left)})
	}
	return nil
}

const (
	// mostStops is how often a process is stopped in the hope that none of its locks is held.
	mostStops = 20
	// looksUnstopped is how often a process that can't be stopped is looked at: damage stays, operations end.
	looksUnstopped = 6
	// mostFrozenBytes is how much of suspects' memory is copied in one stop.
	mostFrozenBytes = 64 << 20
)

// settle looks again at what was suspected, with the process held still while its metadata and the suspects are copied.
func (r *CheckReport) settle(ctx context.Context, t target.Target, stopper target.Stopper, base uint64, first looked, o CheckOptions) (*Heap, looked, error) {
	o.Progress = nil
	extents, first, left := suspectExtents(first, base)
	if left > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d more blocks looked wrong and were not looked at again", left))
	}
	c := new(capture)
	c.prepare(t)
	h, frozen, err := r.frozen(ctx, t, stopper, c, nil, extents)
	if target.StopRefused(err) {
		r.Notes = append(r.Notes, "the process was not held still ("+err.Error()+"): what did not stay the same over several looks was left out")
		return r.persist(ctx, t, o)
	}
	if err != nil {
		return nil, looked{}, err
	}
	defer frozen.Close()
	h.program = o.Program
	found, err := r.look(ctx, h, o, &first)
	if err == nil {
		err = h.diagnoseAll(&found)
	}
	return h, found, err
}

// frozen is the heap at a moment at which none of its locks was held, if there was such a moment in so many stops. The memory
// of the extents is that of the same moment, until it is closed.
func (r *CheckReport) frozen(ctx context.Context, t target.Target, stopper target.Stopper, c *capture, kept, extents []target.Extent) (*Heap, frozenMemory, error) {
	for try := 1; ; try++ {
		frozen, err := r.freeze(ctx, t, stopper, c, kept, extents)
		if err != nil {
			return nil, nil, err
		}
		h := decode(overlay{t, frozen, extents}, c)
		if !h.sound || !h.held() || try == mostStops || ctx.Err() != nil {
			return h, frozen, nil
		}
		frozen.Close() // somebody was inside: a moment later they are not
	}
}

// freeze stops the process, copies the metadata, but for what may be kept of an earlier copy, and the extents, and lets it go on.
func (r *CheckReport) freeze(ctx context.Context, t target.Target, stopper target.Stopper, c *capture, kept, extents []target.Extent) (frozenMemory, error) {
	stopped, err := stopper.Stop(ctx)
	if err != nil {
		return nil, err
	}
	err = c.takeBut(t, kept)
	var frozen frozenMemory
	if err == nil {
		frozen, err = target.Freeze(ctx, t, extents)
	}
	resumed := stopped.Resume()
	r.Stops++
	r.Stopped = max(r.Stopped, stopped.Stood())
	if err == nil && resumed != nil {
		frozen.Close()
		err = resumed
	}
	return frozen, err
}

// rest waits for a heap of this process to be at rest while it is looked at: when its metadata did not change meanwhile, what was
// found is certain.
func (r *CheckReport) rest(ctx context.Context, t target.Target, h *Heap, c *capture, found looked, o CheckOptions) (*Heap, looked, error) {
	for range looksUnstopped {
		later := new(capture)
		if err := later.take(t); err != nil {
			return nil, looked{}, err
		}
		if c.equal(later) || !found.any() {
			return h, found, nil
		}
		c, h = later, decode(t, later)
		h.program = o.Program
		var err error
		if found, err = r.look(ctx, h, o, nil); err == nil {
			err = h.diagnoseAll(&found)
		}
		if err != nil {
			return nil, looked{}, err
		}
	}
	r.Notes = append(r.Notes, "the heap was in use all the time: what did not stay the same over several looks was left out")
	return r.persist(ctx, t, o)
}

// persist looks several times at a process that runs: a finding that is there each time, unchanged, is damage.
func (r *CheckReport) persist(ctx context.Context, t target.Target, o CheckOptions) (*Heap, looked, error) {
	var last looked
	for try := 1; ; try++ {
		var c capture
		if err := c.take(t); err != nil {
			return nil, looked{}, err
		}
		h := decode(t, &c)
		h.program = o.Program
		now, err := r.look(ctx, h, o, nil)
		if err == nil {
			err = h.diagnoseAll(&now)
		}
		if err != nil {
			return nil, looked{}, err
		}
		if try == 1 {
			last = now
			continue
		}
		stayed := now.findings[:0:0]
		for _, f := range now.findings {
			for _, g := range last.findings {
				if same(f, g) {
					if f.Code == CodeLostBlock || f.Code == CodeDoubleListed {
						f.Severity = SeverityUnsettled // a block that is always in use may look so each time
					}
					stayed = append(stayed, f)
					break
				}
			}
		}
		now.findings = stayed
		if len(stayed) == 0 || try == looksUnstopped {
			return h, now, nil
		}
		last = now
	}
}

// suspectExtents is the memory of the suspects, as far as it is copied in one stop; with those whose memory it is, and how many
// are left. Their bytes are those of another moment than the metadata: to look at them would be to take what was freed for damage.
func suspectExtents(l looked, heap uint64) (extents []target.Extent, copied looked, left int) {
	copied = l
	copied.suspects, copied.guarded, copied.spans = nil, nil, nil
	total := int64(0)
	add := func(start uint64, bytes int64) bool {
		if total+bytes > mostFrozenBytes {
			return false
		}
		total += bytes
		extents = append(extents, target.Extent{Offset: int64(start - heap), Bytes: bytes})
		return true
	}
	last, fits := (*Slab)(nil), false
	for _, s := range l.suspects {
		if s.slab != last {
			last, fits = s.slab, add(s.slab.base, int64(s.slab.pages)*layout.PageBytes)
		}
		if fits {
			copied.suspects = append(copied.suspects, s)
		} else {
			left++
		}
	}
	for _, i := range l.guarded {
		if add(l.guards+layout.GuardPage(i), layout.PageBytes) {
			copied.guarded = append(copied.guarded, i)
		} else {
			left++
		}
	}
	for _, s := range l.spans {
		// The end of a span: what diagnoseSpan reads.
		tail := min(2*layout.PageBytes, s.Pages*layout.PageBytes)
		if add(s.base+s.Pages*layout.PageBytes-tail, int64(tail)) {
			copied.spans = append(copied.spans, s)
		} else {
			left++
		}
	}
	slices.SortFunc(extents, func(a, b target.Extent) int { return cmp.Compare(a.Offset, b.Offset) })
	return extents, copied, left
}

// frozenMemory is memory that was copied while its owner was held still.
type frozenMemory interface {
	io.ReaderAt
	io.Closer
}

// overlay is a target of which some memory was copied at an earlier moment; the extents are sorted and don't overlap.
type overlay struct {
	target.Target
	frozen  frozenMemory
	extents []target.Extent
}

// ReadAt prefers what was copied.
func (o overlay) ReadAt(buf []byte, offset int64) (int, error) {
	i, exact := slices.BinarySearchFunc(o.extents, offset, func(e target.Extent, at int64) int { return cmp.Compare(e.Offset, at) })
	if !exact {
		i--
	}
	if i >= 0 && offset+int64(len(buf)) <= o.extents[i].Offset+o.extents[i].Bytes {
		return o.frozen.ReadAt(buf, offset)
	}
	return o.Target.ReadAt(buf, offset)
}
