package peers

import "github.com/glassheap/glassheap/allocator"

// Peer is one allocator, used in one way.
type Peer struct {
	// Name is how tables and benchmarks call it.
	Name string
	// OneGoroutine says that it is not safe for concurrent use.
	OneGoroutine bool

	// startsUp says that a heap takes something to open.
	startsUp bool
	// slices says that its blocks are slices to the user, not addresses.
	slices bool

	open opener
	// from says how to get what is missing when open fails; empty for those that are always there.
	from string
}

// opener makes a heap of a peer, and says how to close it.
type opener func() (tasks, closer, error)

// closer gives back what a peer took from the system.
type closer func() error

// The names of the peers that ratios and aims refer to.
const (
	Sealed       = "sealed"
	SealedSlice  = "sealed-slice"
	Plain        = "plain"
	PlainSlice   = "plain-slice"
	Audit        = "audit"
	ModerncMutex = "modernc-mutex"
	Modernc      = "modernc"
	Make         = "make"
	Malloc       = "malloc"
	Jemalloc     = "jemalloc"
	Mimalloc     = "mimalloc"
	Tcmalloc     = "tcmalloc"
	Ristretto    = "ristretto"
	ArrowChecked = "arrow-checked"
)

// named are the peers in the order of a table's columns, whether they can be had here or not.
var named = []Peer{
	{Name: Sealed, startsUp: true, open: openGlassheap(allocator.ModeSealed)},
	{Name: SealedSlice, slices: true, open: openGlassheapSlice(allocator.ModeSealed)},
	{Name: Plain, startsUp: true, open: openGlassheap(allocator.ModePlain)},
	{Name: PlainSlice, slices: true, open: openGlassheapSlice(allocator.ModePlain)},
	{Name: Audit, startsUp: true, open: openGlassheap(allocator.ModeAudit)},
	{Name: ModerncMutex, open: openModerncMutex},
	{Name: Modernc, OneGoroutine: true, open: openModernc},
	{Name: Make, slices: true, open: openMake},
	{Name: "pool", open: openPools},
	{Name: "mcache", slices: true, open: openMcache},
	{Name: "arrow-go", slices: true, open: openArrowGo},
	{Name: ArrowChecked, slices: true, open: openArrowChecked},
	{Name: "arrow-c", slices: true, open: openArrowC, from: fromC},
	{Name: Malloc, open: openMalloc, from: fromC},
	{Name: "pebble-calloc", open: openCalloc, from: fromC},
	{Name: Jemalloc, open: openJemalloc, from: fromJemalloc},
	{Name: Mimalloc, open: openMimalloc, from: fromMimalloc},
	{Name: Tcmalloc, open: openTcmalloc, from: fromTcmalloc},
	{Name: Ristretto, slices: true, open: openRistretto, from: fromJemalloc},
}

// All are the peers that can be had here.
func All() []Peer { return looked().here }

// Can reports whether the peer can run the workload.
func (p Peer) Can(w Workload) bool {
	if w.startUp {
		return p.startsUp
	}
	return !w.Concurrent || !p.OneGoroutine
}

// Trial is a workload over a heap of its own, ready to be timed.
type Trial struct {
	task
	close closer
}

// Prepare opens a fresh heap of the peer and binds the workload to it.
func (p Peer) Prepare(w Workload) (*Trial, error) {
	if w.startUp {
		return &Trial{p.starts(), func() error { return nil }}, nil
	}
	heap, closeHeap, err := p.open()
	if err != nil {
		return nil, err
	}
	return &Trial{w.bind(heap), closeHeap}, nil
}

// Run allocates and frees at least so many blocks and returns how many: some workloads only do whole batches.
func (t *Trial) Run(pairs int) (done int) { return t.run(pairs) }

// Close frees what is still live and closes the heap.
func (t *Trial) Close() error {
	t.end()
	return t.close()
}

// must ends the run: once an allocator fails, there is nothing left to compare.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
