// Command victim is the program that the tests of package gdb look into. It makes heaps, stops by calling ready, and then does
// what its argument says.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// ready is where the tests have their breakpoint.
//
//go:noinline
func ready(h *allocator.Heap, b []byte) {
	if h == nil {
		println("ready", damaged)
	}
}

func main() {
	unix.Prctl(unix.PR_SET_PTRACER, ^uintptr(0), 0, 0, 0) // whoever runs the tests may attach, under Yama too
	options := allocator.Options{Name: "sessions", Policy: allocator.PolicyReport, ReserveBytes: 64 << 20}
	what := strings.Join(os.Args[1:], " ")
	switch what {
	case "plain":
		options.Mode = allocator.ModePlain
	case "notes":
		options.Geometry = allocator.GeometryNotes
	case "anonymous", "anonymous wait":
		options.Backing = allocator.BackingAnonymous
	case "audit", "audit wait", "audit small", "audit damage":
		options.Mode, options.ReserveBytes, options.StackDepth = allocator.ModeAudit, 16<<20, 8
	case "guarded":
		options.Mode, options.ReserveBytes, options.StackDepth = allocator.ModeAudit, 16<<20, 8
	case "none":
		ready(nil, nil)
	case "big":
		big()
		return
	case "impostor":
		impostor()
		return
	}
	h := must(allocator.New(options))
	blocks := fill(h)
	b := blocks[100]
	if what == "slack" {
		b = blocks[101] // 41 bytes in a block for 48
	}
	if !strings.Contains(what, "small") {
		fillSpan(h)
	}
	if what == "guarded" {
		b = guarded(h)
	}
	ready(h, b)
	switch what {
	case "guarded":
		*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))) = 'x' // before the guard page: nothing stops it
	case "overflow", "slack":
		overflow(b)
	case "churn":
		churn(h, b)
	case "audit", "audit wait", "audit small":
		keep(h, b)
	case "double-free":
		_ = h.Free(blocks[1])
		_ = h.Free(blocks[1])
	case "two":
		other := must(allocator.New(allocator.Options{Name: "orders", ReserveBytes: 16 << 20}))
		ready(other, must(other.Alloc(24)))
	case "damage":
		damage(h, blocks)
	case "audit damage":
		keep(h, b)
		b[5] = layout.PoisonByte
		damageAudit(h, blocks)
	case "crash":
		overflow(b)
		*(*int)(nil) = 1
	}
	switch what {
	case "wait", "anonymous wait", "small", "audit wait", "audit small":
		fmt.Println("ready")
		var line string
		_, _ = fmt.Scanln(&line)
	}
	ready(h, b)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// fill allocates 300 blocks of 20 to 59 bytes and frees every third, but for the hundredth.
func fill(h *allocator.Heap) (blocks [][]byte) {
	for i := range 300 {
		b := must(h.Alloc(20 + i%40))
		copy(b, fmt.Sprintf("session %03d", i))
		blocks = append(blocks, b)
	}
	for i := 0; i < len(blocks); i += 3 {
		if err := h.Free(blocks[i]); err != nil {
			panic(err)
		}
	}
	return blocks
}

func fillSpan(h *allocator.Heap) {
	span := must(h.Alloc(100_000))
	for i := range span {
		span[i] = byte(i)
	}
}

// guarded makes four guarded blocks of 20 bytes and frees two of them, and a guarded span. It returns a live block that
// does not end where its page does.
func guarded(h *allocator.Heap) (b []byte) {
	if err := h.SetGuardRate(1); err != nil {
		panic(err)
	}
	for i := range 4 {
		c := must(h.Alloc(20))
		copy(c, fmt.Sprintf("guarded %d", i))
		if i%2 == 1 {
			if err := h.Free(c); err != nil {
				panic(err)
			}
			continue
		}
		b = c
	}
	_ = must(h.Alloc(50_000))
	return b
}

// overflow does what C's strcpy does: it writes a 0 behind the end.
//
//go:noinline
func overflow(b []byte) {
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))) = 0
}

// keep frees a block on a goroutine of its own, and writes to it afterwards.
func keep(h *allocator.Heap, b []byte) {
	done := make(chan error)
	go func() { done <- drop(h, b) }()
	if err := <-done; err != nil {
		panic(err)
	}
	b[5] = 'x'
	if err := h.Free(must(h.Alloc(20))); err != nil { // the one before it is out of everybody's hands then
		panic(err)
	}
}

//go:noinline
func drop(h *allocator.Heap, b []byte) error { return h.Free(b) }

// churn frees a block and allocates it again, in other sizes, a few times; then it runs over its end.
func churn(h *allocator.Heap, b []byte) {
	for _, size := range []int{35, 38, 40} {
		if err := h.Free(b); err != nil {
			panic(err)
		}
		b = must(h.Alloc(size))
		clear(b)
	}
	overflow(b)
}

// damage damages the heap's own structs, one after the other, and repairs each after a stop.
func damage(h *allocator.Heap, blocks [][]byte) {
	head, at := open(h, blocks)
	var bin *layout.Bin
	for i := range head.Identity.BinCount {
		b := (*layout.Bin)(unsafe.Add(at(uint64(head.Identity.Bins)), uint64(i)*layout.BinBytes))
		if b.Partial != 0 {
			bin = b
			break
		}
	}
	slab := (*layout.Slab)(at(uint64(bin.Partial)))
	links := unsafe.Slice((*layout.Link)(at(uint64(slab.Links))), slab.Capacity)
	pages := unsafe.Slice((*layout.PageEntry)(at(uint64(head.Identity.PageMap))), layout.PagesPerArena)
	cache := (*layout.Cache)(at(uint64(head.Identity.Caches)))
	schema := unsafe.Slice((*byte)(at(head.Identity.Schema)), head.Identity.SchemaBytes)
	span := func() *layout.Span {
		for i := range pages {
			if pages[i].Kind() == layout.PageSpan {
				return (*layout.Span)(at(head.Identity.Descriptors + pages[i].Descriptor()))
			}
		}
		panic("no span")
	}()

	with(h, "slab free list link", &links[3], 77)
	with(h, "slab free count", &slab.FreeCount, 9)
	with(h, "slab stride", &slab.Stride, 0)
	with(h, "slab stride, odd", &slab.Stride, slab.Stride+1)
	with(h, "slab capacity", &slab.Capacity, 0xffff)
	with(h, "slab pages", &slab.Pages, 0xffff)
	with(h, "slab base", &slab.Base, 0x4141414141414141)
	with(h, "slab carved", &slab.Carved, 0xffff)
	with(h, "partial list made a cycle", &slab.Next, bin.Partial)
	with(h, "partial list into nowhere", &bin.Partial, 0x7)
	with(h, "bin stride", &bin.Stride, 0)
	with(h, "bin count", &bin.SlabCount, 0xffffffff)
	with(h, "magazine count", &cache.Magazines[bin.ID].Tally, cache.Magazines[bin.ID].Tally|0xff)
	with(h, "magazine entry twice", &cache.Magazines[bin.ID].Blocks[1], cache.Magazines[bin.ID].Blocks[0])
	with(h, "page entry", &pages[1], 0xffffffffffffff02)
	with(h, "page entry of nothing", &pages[0], 0)
	with(h, "span pages", &span.Pages, 1<<60)
	with(h, "span pages, few", &span.Pages, 3)
	with(h, "span requested", &span.Requested, 1<<63)
	with(h, "arenas used", &head.ArenasUsed, 1<<62)
	with(h, "no arenas used", &head.ArenasUsed, 0)
	with(h, "caches ready", &head.CachesReady, 1<<40)
	with(h, "descriptors top", &head.DescriptorsTop, ^uint64(0))
	with(h, "magic", &head.Identity.Magic, 0)
	with(h, "version", &head.Identity.Version, 99)
	with(h, "geometry", &head.Identity.Geometry, 77)
	with(h, "base", &head.Identity.Base, 0x1000)
	with(h, "place of the page map", &head.Identity.PageMap, 0xfffffffffffff000)
	with(h, "schema", &schema[40], '"')
	const before = `"name":"PageMap","offset":`
	digit := &schema[bytes.Index(schema, []byte(before))+len(before)+1] // not the first: a number may not begin with 0
	with(h, "an offset in the schema", digit, *digit^1)
	with(h, "seal", (*uint64)(at(slab.Base+uint64(slab.Stride)-8)), 0x4141414141414141)
	both := head.Twin
	head.Twin.DescriptorsEnd = 1
	with(h, "both identities", &head.Identity.Reserve, ^uint64(0))
	head.Twin.Base = 1
	with(h, "the base in both identities", &head.Identity.Base, 0x1000)
	head.Twin = both
}

// damageAudit is damage for the structs of audit mode.
func damageAudit(h *allocator.Heap, blocks [][]byte) {
	head, at := open(h, blocks)
	pages := unsafe.Slice((*layout.PageEntry)(at(uint64(head.Identity.PageMap))), layout.PagesPerArena)
	slab := (*layout.Slab)(at(head.Identity.Descriptors + pages[0].Descriptor()))
	records := (*layout.Records)(at(uint64(slab.Records)))
	record := (*layout.Record)(at(uint64(slab.Records) + layout.RecordsBytes))
	journal := (*layout.Journal)(at(uint64(head.Identity.Journals)))
	table := (*layout.StackTable)(at(uint64(head.Identity.Stacks)))
	stack := (*layout.Stack)(at(uint64(head.Identity.Stacks) + layout.StackTableBytes))

	with(h, "mode", &head.Mode, 77)
	with(h, "journals ready", &head.JournalsReady, 1<<40)
	with(h, "no journals ready", &head.JournalsReady, 0)
	with(h, "records top", &head.RecordsTop, ^uint64(0))
	with(h, "records of a slab", &slab.Records, 0x4141414141414141)
	with(h, "records of a slab, odd", &slab.Records, slab.Records+1)
	with(h, "owner of records", &records.Slab, 8)
	with(h, "count of records", &records.Count, ^uint32(0))
	with(h, "stack of a record", &record.AllocStack, record.AllocStack^1)
	with(h, "quarantine of another length", &journal.QuarantineIn, 1<<60)
	with(h, "quarantine, negative", &journal.QuarantineOut, journal.QuarantineIn+1)
	with(h, "quarantine of another size", &journal.QuarantineBytes, 1)
	with(h, "quarantined address", &journal.Quarantine[1], 0x4141414141414141)
	with(h, "quarantined twice", &journal.Quarantine[1], journal.Quarantine[2])
	with(h, "journal id", &journal.ID, 9)
	with(h, "stacks in use", &table.Used, ^uint64(0))
	with(h, "stacks in use, few", &table.Used, 8)
	with(h, "stack depth", &stack.Depth, ^uint32(0))
	with(h, "no stack depth", &stack.Depth, 0)
	with(h, "stack hash", &stack.Hash, 1)
	with(h, "stack chain", &stack.Next, 0xffffffff)
}

// open finds the heap's header, and what lies at an address of the heap.
func open(h *allocator.Heap, blocks [][]byte) (head *layout.Header, at func(uint64) unsafe.Pointer) {
	start, _ := h.Range()
	base := unsafe.Add(unsafe.Pointer(unsafe.SliceData(blocks[0])), int64(start)-int64(uintptr(unsafe.Pointer(unsafe.SliceData(blocks[0])))))
	return (*layout.Header)(base), func(address uint64) unsafe.Pointer { return unsafe.Add(base, address-start) }
}

// impostor has memory that begins like a heap and is none: by the magic word, then nonsense.
func impostor() {
	memory := must(unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON))
	for i := range memory {
		memory[i] = byte(i*7 + i>>9)
	}
	copy(memory, "GLASHEAP")
	copy(memory[5000:], `{"version":1,"structs":[{"name":"Header","bytes":99999999999,"fields":[]}],"constants":{}}`)
	file := must(unix.MemfdCreate("glassheap:\x1b[31mred", 0))
	if err := unix.Ftruncate(file, 1<<20); err != nil {
		panic(err)
	}
	must(unix.Mmap(file, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED))
	ready(nil, memory)
}

// big makes 4,000 slabs that hold a million blocks.
func big() {
	h := must(allocator.New(allocator.Options{Name: "big", ReserveBytes: 256 << 20}))
	var b []byte
	for i := range 1_000_000 {
		b = must(h.Alloc(49 + i%8))
	}
	ready(h, b)
	overflow(b)
	ready(h, b)
}
