package model

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// world is a heap and what the model knows of it.
type world struct {
	heap      *allocator.Heap
	other     *allocator.Heap // another heap, whose blocks are foreign here
	foreign   []byte          // one of them
	target    target.Target
	options   allocator.Options
	sealed    bool
	audit     bool
	guards    uint64 // address of the pages of guarded blocks
	tiny      bool   // the reserve is so small that it may be exhausted at any time
	alone     bool   // there is one goroutine, on one P: what was freed last is allocated next
	classes   []layout.Class
	mostSmall int
	index     index
	held      held // what the quarantine holds, if the world is one goroutine's

	allocs, frees atomic.Int64 // of blocks in slabs
	spans         atomic.Int64 // that are live
	withdrawn     atomic.Int64
	exhausted     atomic.Int64 // how often the reserve was

	violations violations
}

// violations collects what a heap reports.
type violations struct {
	lock sync.Mutex
	list []*allocator.Violation
}

func (v *violations) add(found *allocator.Violation) {
	v.lock.Lock()
	defer v.lock.Unlock()
	v.list = append(v.list, found)
}

// take returns what was reported since the last take.
func (v *violations) take() []*allocator.Violation {
	v.lock.Lock()
	defer v.lock.Unlock()
	list := v.list
	v.list = nil
	return list
}

var heapNumber atomic.Int64

// fatal is what *testing.T and *rapid.T have in common here.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// newWorld makes a heap. Directory is where a heap of BackingFile goes.
func newWorld(t fatal, o allocator.Options, directory string) *world {
	t.Helper()
	number := heapNumber.Add(1)
	w := &world{sealed: o.Mode != allocator.ModePlain, audit: o.Mode == allocator.ModeAudit, tiny: o.ReserveBytes <= mostTinyBytes}
	o.Name = fmt.Sprintf("model %d", number)
	if o.Backing == allocator.BackingFile {
		o.Path = filepath.Join(directory, fmt.Sprintf("heap%d", number))
	}
	o.OnViolation = w.violations.add
	w.options = o
	var err error
	if w.heap, err = allocator.New(o); err != nil {
		t.Fatalf("%v", err)
	}
	if w.target, err = target.Self(target.Options{Heap: o.Name}); err != nil {
		t.Fatalf("%v", err)
	}
	if w.other, err = allocator.New(allocator.Options{Name: fmt.Sprintf("other %d", number), ReserveBytes: 1 << 20, Backing: allocator.BackingAnonymous}); err != nil {
		t.Fatalf("%v", err)
	}
	if w.foreign, err = w.other.Alloc(40); err != nil {
		t.Fatalf("%v", err)
	}
	base, _ := w.heap.Range()
	w.guards = base + layout.Place(uint32(o.ReserveBytes/layout.ArenaBytes)).GuardPages
	w.held = held{limit: uint64(o.QuarantineBytes), seal: uint64(o.Mode.SealBytes()), rate: o.GuardRate}
	w.classes = layout.Classes(o.Geometry, o.Mode.SealBytes())
	w.mostSmall = int(w.classes[len(w.classes)-1].Size)
	return w
}

// mostTinyBytes is the largest reserve that may be exhausted.
const mostTinyBytes = 4 << 20

// drawOptions chooses what the test does not insist on.
func drawOptions(c choices, g allocator.Geometry, m allocator.Mode) allocator.Options {
	return allocator.Options{
		Geometry: g, Mode: m,
		Backing:      oneOf(c, "backing", allocator.BackingMemfd, allocator.BackingMemfd, allocator.BackingAnonymous, allocator.BackingFile),
		ReserveBytes: oneOf(c, "reserve in MiB", int64(64), 1, 2, 3, 4) << 20,
		RetainBytes:  oneOf(c, "retain", int64(0), 1, 256<<10), // 0: the default; 1: nothing
		// 1: a block, no span.
		QuarantineBytes: oneOf(c, "quarantine", int64(1), 4096, 64<<10, 1<<20, 4<<20),
		GuardRate:       oneOf(c, "guard rate", 0, 0, 1, 4),
	}
}

// class is the class of a block of n bytes that was not aligned.
func (w *world) class(n int) layout.Class {
	for _, c := range w.classes {
		if int(c.Size) >= n {
			return c
		}
	}
	panic("no class for this size")
}

// isGuarded reports whether a block has a page of its own. Which do is chance.
func (w *world) isGuarded(b *block) bool { return b.address()-w.guards < layout.GuardPagesBytes }

// mayBeGuarded reports whether a block or a span may end at a guard page.
func (w *world) mayBeGuarded(b *block) bool {
	return w.options.GuardRate > 0 && (b.span || w.isGuarded(b))
}

// grain is how every block is aligned.
func (w *world) grain() int { return int(w.options.Geometry.Grain()) }

// stride is what a block of n bytes takes of a slab; 0 when it is a span.
func (w *world) stride(n, align int) uint64 {
	switch {
	case w.isSpan(n, align):
		return 0
	case align > w.grain() && w.sealed:
		return uint64(w.class(n + align - layout.ClassGrain).Stride)
	}
	return uint64(w.class(n).Stride)
}

// isSpan predicts whether n bytes get pages of their own.
func (w *world) isSpan(n, align int) bool {
	switch {
	case n > w.mostSmall:
		return true
	case align <= w.grain():
		return false
	case w.sealed: // a block with room to move in
		return n+align-layout.ClassGrain > w.mostSmall
	}
	for _, c := range w.classes {
		if int(c.Size) >= n && int(c.Stride)%align == 0 {
			return align > layout.PageBytes
		}
	}
	return true
}

// spanBytes is how many bytes may be written in a span of n bytes.
func (w *world) spanBytes(n int) int {
	seal := int(w.options.Mode.SealBytes())
	return max(1, (n+seal+layout.PageBytes-1)/layout.PageBytes)*layout.PageBytes - seal
}

// limit is the largest request that the reserve has room for: a span with its guard page and its seal.
func (w *world) limit() int {
	return int(w.options.ReserveBytes) - layout.PageBytes - int(w.options.Mode.SealBytes())
}

// live is how many blocks the user has.
func (w *world) live() int64 { return w.allocs.Load() - w.frees.Load() + w.spans.Load() }

// each runs a test for each geometry and mode.
func each(t *testing.T, test func(t *testing.T, g allocator.Geometry, m allocator.Mode)) {
	for _, g := range []allocator.Geometry{allocator.GeometryDefault, allocator.GeometryNotes, allocator.GeometryAligned} {
		for _, m := range []allocator.Mode{allocator.ModePlain, allocator.ModeSealed, allocator.ModeAudit} {
			t.Run(g.String()+"/"+m.String(), func(t *testing.T) { test(t, g, m) })
		}
	}
}
