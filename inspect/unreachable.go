package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/glassheap/glassheap/inspect/target"
)

// mostHeld is how long a process is held still at most while references are searched for.
const mostHeld = 2 * time.Second

// Unreachable groups the live blocks that nothing refers to, neither the process's other memory and the registers of its threads
// nor a block that something refers to. Any aligned word that lies in a block counts as a reference, so an old value that nobody
// will use again keeps a block from being listed. Where a debugger has the process, its registers are not read.
//
// The process is held still while its metadata, its memory and the blocks are read, for two seconds at most. The error is a
// *target.NoRootsError where only the heap's memory is there, else those of Check.
func Unreachable(ctx context.Context, t target.Target, p *Program, o LeakOptions) (*LeaksReport, error) {
	rooted, ok := t.(target.Rooted)
	if !ok {
		return nil, &target.NoRootsError{Target: t.Description(), Self: t.Description().Kind == target.KindProcess}
	}
	started := time.Now()
	r := &LeaksReport{Unreachable: true}
	s, err := r.search(ctx, t, rooted)
	if err != nil {
		return nil, err
	}
	s.heap.program = p
	g := groups{heap: s.heap, of: map[groupKey]*group{}}
	s.heads(&g)
	if err := g.list(r, o); err != nil {
		return nil, err
	}
	r.Heap = s.heap.summary(passCounts{})
	r.Heap.LiveBlocks = r.Live
	r.Elapsed = time.Since(started)
	return r, ctx.Err()
}

// search stops the process and finds out what is reachable. When the heap is being changed just then it goes on, and is stopped
// once more.
func (r *LeaksReport) search(ctx context.Context, t target.Target, rooted target.Rooted) (*reach, error) {
	stopper, _ := t.(target.Stopper)
	c := new(capture)
	c.prepare(t)
	for try := 1; ; try++ {
		resume, err := r.stop(ctx, stopper, try)
		if err != nil {
			return nil, err
		}
		s, err := newReach(t, c)
		if err == nil && s.heap.held() && try < mostStops && ctx.Err() == nil {
			if err = resume(); err == nil {
				continue
			}
		}
		if err == nil {
			err = r.mark(ctx, rooted, s)
		}
		if err = errors.Join(err, resume()); err != nil {
			return nil, err
		}
		r.noteMissing(s.heap, rooted)
		return s, nil
	}
}

// fewMissing is what every core may lack: the runtime keeps the state of its random numbers, a page for each thread, out of them.
const fewMissing = 256 << 10

// noteMissing tells of memory that a core lacks: what only that refers to is listed.
func (r *LeaksReport) noteMissing(h *Heap, rooted target.Rooted) {
	if bytes := rooted.MissingRoots(); bytes > fewMissing {
		r.Notes = append(r.Notes, humanize.IBytes(bytes)+" of the process's writable memory are missing: what only these refer to is listed")
	}
	if m := h.Missing(); m != nil {
		r.Notes = append(r.Notes, m.String())
	}
}

// stop holds the process still, until the function it returns is called, or for as long as that may take.
func (r *LeaksReport) stop(ctx context.Context, stopper target.Stopper, try int) (resume func() error, err error) {
	note := func(text string) {
		if try == 1 {
			r.Notes = append(r.Notes, text)
		}
	}
	if stopper == nil {
		return func() error { return nil }, nil
	}
	stopped, err := stopper.Stop(ctx)
	if target.StopRefused(err) {
		note("the process was not held still (" + err.Error() + "): what it moved meanwhile may be listed")
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, err
	}
	limit := time.AfterFunc(mostHeld, func() { _ = stopped.Resume() })
	return func() error {
		inTime := limit.Stop()
		err := stopped.Resume()
		r.Stopped = max(r.Stopped, stopped.Stood())
		if !inTime {
			r.Notes = append(r.Notes, fmt.Sprintf("the process was let go on after %v, before all was read: what it moved since then may be listed", mostHeld))
		}
		return err
	}, nil
}

// mark marks what is reachable.
func (r *LeaksReport) mark(ctx context.Context, rooted target.Rooted, s *reach) (err error) {
	if err := s.fill(func(b *liveBlock) {
		r.Live++
		r.LiveBytes += b.bytes
	}); err != nil {
		return err
	}
	r.RootBytes, err = visitRoots(ctx, rooted, s)
	return err
}

func visitRoots(ctx context.Context, rooted target.Rooted, s *reach) (total uint64, err error) {
	bytes, err := rooted.Roots(ctx, func(piece []byte) {
		s.scan(piece, s.refer)
		s.follow()
	})
	return uint64(bytes), err
}

// reach is what is reachable of a heap.
type reach struct {
	*blockIndex
	reached bitset
	todo    []uint32 // reached blocks whose words were not looked at: each block is here once at most
}

func newReach(t target.Target, c *capture) (*reach, error) {
	if err := c.take(t); err != nil {
		return nil, err
	}
	h := decode(t, c)
	if err := h.usable(); err != nil {
		return nil, err
	}
	x, err := newBlockIndex(h)
	if err != nil {
		return nil, err
	}
	return &reach{blockIndex: x, reached: newBitset(x.total)}, nil
}

// refer takes notice of a word that may refer to a block.
func (s *reach) refer(word uint64) {
	if i, ok := s.at(word); ok && s.reached.add(i) {
		s.todo = append(s.todo, i)
	}
}

// follow looks at the words of the blocks that were reached.
func (s *reach) follow() {
	for len(s.todo) > 0 {
		i := s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		s.words(i, s.refer)
	}
}

// heads finds the blocks from which the other unreachable ones can be reached, and counts each of these below one of them.
func (s *reach) heads(g *groups) {
	referred, claimed := newBitset(s.total), newBitset(s.total)
	s.live.each(s.reached, func(i uint32) {
		s.words(i, func(word uint64) {
			if j, ok := s.at(word); ok && j != i && !s.reached.has(j) {
				referred.add(j)
			}
		})
	})
	s.live.each(s.reached, func(i uint32) {
		if !referred.has(i) && claimed.add(i) {
			g.addHead(s.blockIndex, i, s.claim(i, claimed))
		}
	})
	// What is left is circles, and what they lead to: one block of each circle is its head, if no other circle leads to it. A
	// search from one block after the other, each leaving out what an earlier one has found, begins in such a circle before it
	// begins in one that leads there; so, the last beginnings first, only heads are left.
	var beginnings []uint32
	found := slices.Clone(claimed)
	s.live.each(s.reached, func(i uint32) {
		if found.add(i) {
			beginnings = append(beginnings, i)
			s.claim(i, found)
		}
	})
	for _, i := range slices.Backward(beginnings) {
		if claimed.add(i) {
			g.addHead(s.blockIndex, i, s.claim(i, claimed))
		}
	}
}

// below is the blocks below a head.
type below struct{ blocks, bytes uint64 }

// claim adds the unreachable blocks that one leads to, and counts those that are new.
func (s *reach) claim(from uint32, claimed bitset) (b below) {
	s.todo = append(s.todo[:0], from)
	for len(s.todo) > 0 {
		i := s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		s.words(i, func(word uint64) {
			j, ok := s.at(word)
			if !ok || s.reached.has(j) || !claimed.add(j) {
				return
			}
			s.todo = append(s.todo, j)
			if block, ok := s.block(j); ok {
				b.blocks++
				b.bytes += block.bytes
			}
		})
	}
	return b
}

// addHead adds a head, unless somebody has freed it since.
func (g *groups) addHead(x *blockIndex, i uint32, b below) {
	if head, ok := x.block(i); ok {
		g.add(&head, b.blocks, b.bytes)
	}
}
