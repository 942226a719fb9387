// Command heaps makes heaps, makes mistakes, and stops where the tests of the scripts want to look. Each argument is one of
// the things it does.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

func main() {
	for _, name := range os.Args[1:] {
		do[name]()
	}
}

var do = map[string]func(){"nothing": nothing, "shop": shop, "several": several, "notes": notes, "overrun": overrun, "violate": violate, "audited": audited, "switched": switched, "stale": stale, "guarded": guarded, "sampled": sampled, "visit": visit, "crowd": crowd, "large": large, "crash": crash, "wait": wait, "abort": abort}

// stop is where the debugger stops. block is one that is worth a look.
//
//go:noinline
func stop(at string, block []byte) {
	if at == "" {
		fmt.Println(len(block))
	}
}

func nothing() { stop("nothing", nil) }

func heap(name string, o allocator.Options) *allocator.Heap {
	o.Name, o.Policy = name, allocator.PolicyReport
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 64 << 20
	}
	h, err := allocator.New(o)
	if err != nil {
		panic(err)
	}
	return h
}

func alloc(h *allocator.Heap, text string) []byte {
	b, err := h.Alloc(len(text))
	if err != nil {
		panic(err)
	}
	copy(b, text)
	return b
}

// shop makes a heap in which something is on every list: magazines in caches and in a depot, slabs that are full, that have
// room, that are empty and that were given back, spans of every kind.
func shop() {
	h := heap("orders", allocator.Options{})
	stop("shop", fill(h))
}

func fill(h *allocator.Heap) []byte {
	var orders [][]byte
	for i := range 450 {
		orders = append(orders, alloc(h, fmt.Sprintf("order %03d, %s", i, goods[i%len(goods)])))
	}
	for i := 0; i < len(orders); i += 4 {
		free(h, orders[i])
	}
	var parcels [][]byte
	for range 400 {
		parcels = append(parcels, alloc(h, string(make([]byte, 700))))
	}
	for _, b := range parcels[15:336] {
		free(h, b)
	}
	h.Scavenge() // gives back all that the parcels left, the magazines too
	for _, b := range append(parcels[:15:15], parcels[336:370]...) {
		free(h, b)
	}
	for i := 1; i < len(orders); i += 4 {
		free(h, orders[i])
	}
	free(h, alloc(h, string(make([]byte, 50_000))))
	alloc(h, string(make([]byte, 100_000)))
	alloc(h, string(make([]byte, 3<<19)))
	for range 2 { // the first block of a slab is aligned as it is
		aligned(h)
	}
	return orders[2]
}

var goods = []string{"tea", "a teapot made of china", "two cups"}

func free(h *allocator.Heap, b []byte) {
	if err := h.Free(b); err != nil {
		panic(err)
	}
}

// wait waits for the end of standard input.
func wait() {
	fmt.Println("waiting")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// abort ends as a program does that finds itself in a state that can't be.
func abort() {
	debug.SetTraceback("crash")
	panic("abort")
}

// several makes two heaps.
func several() {
	users := heap("users", allocator.Options{})
	alloc(users, "ada")
	sessions := heap("sessions", allocator.Options{Mode: allocator.ModePlain})
	stop("several", alloc(sessions, "a session"))
}

// notes makes a heap of the lecture notes' geometry.
func notes() {
	h := retaining(heap("notes", allocator.Options{Geometry: allocator.GeometryNotes}))
	stop("notes", alloc(h, "a note"))
}

// overrun lets go of a block, takes one of the same size class, and writes one byte past its end.
func overrun() {
	h := heap("names", allocator.Options{})
	name := alloc(h, "margaret")
	stop("overrun", name)
	free(h, name)
	name = alloc(h, "rob")
	write(name, "rob\x00")
	stop("overrun", name)
}

// write does what C's strcpy does: Go's bounds checks don't reach here.
//
//go:noinline
func write(b []byte, text string) {
	for i := range len(text) {
		*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = text[i]
	}
}

// violate frees a block twice.
func violate() {
	h := heap("visits", allocator.Options{})
	name := alloc(h, "barbara")
	stop("violate", name)
	free(h, name)
	_ = h.Free(name)
	stop("violate", name)
}

// audited makes a heap that was in audit mode from its beginning. Blocks and spans in it are live, held back, and free again,
// and some descriptors wait with the records of the slabs that they were.
func audited() {
	h := heap("audited", allocator.Options{Mode: allocator.ModeAudit, QuarantineBytes: 256 << 10})
	fill(h)
	kept := serve(h, "a guest")
	for range 3 {
		free(h, serve(h, "another guest"))
	}
	stop("audited", kept)
}

// serve is somebody who allocates.
//
//go:noinline
func serve(h *allocator.Heap, text string) []byte { return alloc(h, text) }

// switched makes a heap that is audited only from some time on, so that of the older blocks nobody knows who allocated them.
func switched() {
	h := heap("switched", allocator.Options{})
	var before [][]byte
	for i := range 20 {
		before = append(before, alloc(h, fmt.Sprintf("before %d", i)))
	}
	if err := h.SetMode(allocator.ModeAudit); err != nil {
		panic(err)
	}
	for _, b := range before[10:] {
		free(h, b)
	}
	stop("switched", serve(h, "since then"))
}

// crowd lets several Ps use a heap in audit mode at the same time.
func crowd() {
	const ps = 4
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(ps))
	h := heap("crowd", allocator.Options{Mode: allocator.ModeAudit, QuarantineBytes: 256 << 10})
	var started atomic.Int32
	var all sync.WaitGroup
	for i := range ps {
		all.Go(func() {
			for started.Add(1); started.Load() < ps; { // as long as it spins, its P is taken
			}
			for n := range 3000 {
				b := serve(h, goods[(i+n)%len(goods)])
				if n%100 != 0 {
					free(h, b)
				}
			}
		})
	}
	all.Wait()
	stop("crowd", serve(h, "the last one"))
}

// stale writes through an address that somebody else has freed. Nothing but audit mode notices.
func stale() {
	h := heap("visitors", allocator.Options{Mode: allocator.ModeAudit})
	name := serve(h, "margaret")
	goodbye(h, name)
	write(name[4:], "gie")
	stop("stale", name)
}

//go:noinline
func goodbye(h *allocator.Heap, name []byte) { free(h, name) }

// large makes a heap of some thousand slabs.
func large() {
	h := heap("large", allocator.Options{ReserveBytes: 1 << 30})
	var blocks [][]byte
	for i := range 250_000 {
		b, err := h.Alloc(20 + i%3*40)
		if err != nil {
			panic(err)
		}
		blocks = append(blocks, b)
	}
	for i := 0; i < len(blocks); i += 5 {
		free(h, blocks[i])
	}
	stop("large", blocks[1])
}

// crash writes to the guard page behind a span.
func crash() {
	h := heap("crashed", allocator.Options{})
	alloc(h, "a witness")
	b := alloc(h, string(make([]byte, 100_000)))
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), 25*4096)) = 1
}

// guarded makes a heap in which every block has pages of its own, large ones too; and then some that have not.
func guarded() {
	h := heap("guarded", allocator.Options{Mode: allocator.ModeAudit, GuardRate: 1})
	kept := serve(h, string(make([]byte, 4096))) // fills its page: others lie at its start or at its end, by chance
	serve(h, "a guarded guest")
	for range 3 {
		goodbye(h, serve(h, "another one"))
	}
	serve(h, string(make([]byte, 100_003)))
	goodbye(h, serve(h, string(make([]byte, 50_005))))
	if err := h.SetGuardRate(0); err != nil {
		panic(err)
	}
	serve(h, "one among many")
	goodbye(h, serve(h, "one of these, too"))
	stop("guarded", kept)
}

// sampled makes a heap that records who makes one of 16 allocations: of blocks that are older nobody knows it, of spans all is known.
func sampled() {
	h := heap("sampled", allocator.Options{})
	for range 400 {
		alloc(h, "before the profile")
	}
	if err := h.SetProfileRate(16); err != nil {
		panic(err)
	}
	for i := range 2000 {
		serve(h, goods[i%len(goods)])
	}
	serve(h, string(make([]byte, 100_000)))
	stop("sampled", serve(h, "the last one"))
}

// visit allocates and frees in several functions, often.
func visit() {
	h := heap("visit", allocator.Options{})
	stop("visit", nil)
	for range 1000 {
		goodbye(h, serve(h, "passing by"))
	}
	greet(h)
	stop("visit", serve(h, "nobody greets"))
}

//go:noinline
func greet(h *allocator.Heap) { goodbye(h, serve(h, "welcome")) }

func aligned(h *allocator.Heap) {
	if _, err := h.AllocAligned(100, 64); err != nil {
		panic(err)
	}
}

// retaining lets go of a huge span. Its arenas are retained.
func retaining(h *allocator.Heap) *allocator.Heap {
	free(h, alloc(h, string(make([]byte, 2<<20))))
	return h
}
