package allocator

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Giving back what is idle: at once (Scavenge), and in the background.

// Scavenge gives everything that is free back to the system: the blocks in the magazines and in the depots to their slabs,
// empty slabs to their arenas, the memory of free pages to the system. The magazines of Ps that are busy stay as they are.
func (h *Heap) Scavenge() {
	onEveryP(func() {
		for i := range int(h.header().Identity.BinCount) {
			h.emptyMagazine(i)
		}
	})
	for i := range int(h.header().Identity.BinCount) {
		h.emptyDepot(i)
		h.releaseEmptySlabs(i, true)
	}
	h.lockPages()
	defer h.unlockPages()
	h.limitDirtyPages(0)
}

// mostSpins is how long onEveryP waits for a P to wake up: some 100 µs.
const mostSpins = 200_000

// onEveryP calls f in as many goroutines as there are Ps, the caller's among them. While the program leaves its Ps idle, each
// of them runs one.
func onEveryP(f func()) {
	procs := int64(runtime.GOMAXPROCS(0))
	var met atomic.Int64
	var others sync.WaitGroup
	meet := func() {
		met.Add(1)
		for spins := 0; met.Load() < procs && spins < mostSpins; spins++ {
			// Who gave up the P here might find the next one on it.
		}
		f()
	}
	for range procs - 1 {
		others.Go(meet)
	}
	meet()
	others.Wait()
}

// scavenger gives back in the background what was not used for a while. It is a timer that runs while something may become
// idle: a heap at rest, from which everything has been given back, has neither timer nor goroutine.
type scavenger struct {
	after   time.Duration
	waiting atomic.Bool // the timer runs
	lock    sync.Mutex  // held through a step, and for what follows
	stopped bool
	timer   *time.Timer
	traffic [layout.MaxBins]uint64 // of each bin, at the last step
}

func (h *Heap) startScavenger() {
	if h.options.ScavengeAfter > 0 {
		h.scavenger = &scavenger{after: h.options.ScavengeAfter}
	}
}

// stopScavenger returns when no step is under way, and none will come.
func (h *Heap) stopScavenger() {
	s := h.scavenger
	if s == nil {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// wakeScavenger is called where something was freed that the fast path does not keep. No lock is held.
func (h *Heap) wakeScavenger() {
	if s := h.scavenger; s != nil && !s.waiting.Load() {
		s.wait(h, s.after)
	}
}

func (s *scavenger) wait(h *Heap, after time.Duration) {
	if s.waiting.Swap(true) {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if !s.stopped {
		s.timer = time.AfterFunc(after, func() { s.step(h) })
	}
}

// A step holds the pages' lock for at most slabsAtOnce slabs or one arena at a time, and ends after arenasAtOnce; then the next
// one comes sooner.
const (
	slabsAtOnce  = 32
	arenasAtOnce = 32
	paced        = 20 // part of the interval
)

// step gives back what was idle since the last one, and sees to the next.
func (s *scavenger) step(h *Heap) {
	s.lock.Lock()
	if s.stopped {
		s.lock.Unlock()
		return
	}
	next := s.giveBack(h)
	// What was freed meanwhile woke nobody, but is seen here; what is freed from here on wakes.
	s.waiting.Store(false)
	if next == 0 && s.missed(h) {
		next = s.after
	}
	s.lock.Unlock()
	if next > 0 {
		s.wait(h, next)
	}
}

// giveBack gives back the blocks of bins through which nothing went since the last step, their empty slabs, and the free pages that
// nobody took since. It returns when the next step is due; 0: when something is freed.
func (s *scavenger) giveBack(h *Heap) (next time.Duration) {
	var idle []int
	cached := uint64(0)
	for i := range int(h.header().Identity.BinCount) {
		traffic, blocks := h.traffic(i)
		if traffic == s.traffic[i] {
			idle = append(idle, i)
			cached += blocks
		} else {
			s.traffic[i], next = traffic, s.after
		}
	}
	if cached > 0 {
		onEveryP(func() {
			for _, i := range idle {
				h.emptyMagazine(i)
			}
		})
	}
	for _, i := range idle {
		h.emptyDepot(i)
		for h.releaseSomeSlabs(i, true, slabsAtOnce) {
			runtime.Gosched()
		}
		s.traffic[i], _ = h.traffic(i) // to be given back is no use
	}
	if next == 0 {
		h.lockPages()
		h.unmapKeptArena() // nobody makes slabs
		h.unlockPages()
	}
	switch more, dirty := h.cleanIdlePages(arenasAtOnce); {
	case more:
		return s.after / paced
	case dirty:
		return s.after
	}
	return next
}

// missed reports whether something was used since giveBack looked.
func (s *scavenger) missed(h *Heap) bool {
	for i := range int(h.header().Identity.BinCount) {
		if traffic, _ := h.traffic(i); traffic != s.traffic[i] {
			return true
		}
	}
	h.lockPages()
	defer h.unlockPages()
	return h.idlePages() > 0
}

// traffic is a figure that changes with every use of a bin, and how many blocks its magazines hold.
func (h *Heap) traffic(bin int) (figure, blocks uint64) {
	for p := range int(h.cachesReady.Load()) {
		m := h.magazine(p, uint8(bin))
		figure += uint64(m.Tally) + uint64(m.Inflow)
		blocks += uint64(m.Tally.Count())
	}
	return figure, blocks
}

// cleanIdlePages gives the memory of pages back that were free since the last step, from at most so many arenas; more says that
// there are further ones, dirty that some pages hold memory yet.
func (h *Heap) cleanIdlePages(arenas int) (more, dirty bool) {
	h.lockPages()
	defer h.unlockPages()
	idle := h.dirtyLeast
	for i := h.header().ArenasUsed; i > 0 && idle > 0; i-- { // those that come last in first fit are missed least
		a := h.arena(i - 1)
		if a.State != layout.ArenaPages && a.State != layout.ArenaRetained || a.DirtyPages == 0 || h.huge.holds(i-1) {
			continue
		}
		if arenas == 0 {
			h.dirtyLeast = idle
			return true, true
		}
		before := h.dirtyPages
		if a.State == layout.ArenaRetained {
			h.unmapArenas(i-1, 1)
		} else {
			h.cleanArena(i-1, a)
		}
		idle -= before - h.dirtyPages
		arenas--
		h.unlockPages()
		h.lockPages()
	}
	h.dirtyLeast = h.idlePages()
	return false, h.dirtyLeast > 0
}
