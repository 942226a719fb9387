package allocator

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/internal/reportlimit"
)

// Heap is an off-heap memory heap. Make one with New; all its methods are safe for concurrent use.
//
// The struct is what the fast path needs in the Go heap; the heap itself lies in the mapping that base points to.
type Heap struct {
	// Constant after New.
	base        unsafe.Pointer // of the mapping: the Header
	bins        unsafe.Pointer
	caches      unsafe.Pointer
	magazines   unsafe.Pointer // of the first cache
	arenas      unsafe.Pointer
	stacks      unsafe.Pointer
	journals    unsafe.Pointer
	guards      unsafe.Pointer
	guardPages  uint64 // address of the guarded allocations' pages
	pageMap     unsafe.Pointer
	baseAddress uint64
	data        uint64 // address of arena 0
	dataOffset  uint64 // of arena 0, from base
	secret      uint64
	sealed      bool
	grain       uint64 // alignment of every block
	mostSmall   int    // largest request that a bin serves
	options     Options
	watch       *watch // nil: no stack is watched for
	armer       *armer // nil: nobody else may change anything
	memory      *memory
	scavenger   *scavenger // nil: nothing is given back in the background

	quickBelow      atomic.Int64  // sizes below it are the fast path's; 0: none is
	quickData       atomic.Uint64 // as dataUsed, for the fast path; 0: no free is its business
	sampleBelow     atomic.Uint64 // an allocation is sampled when the tally lies below, see samples; 0: none is
	sampleEvery     atomic.Uint64 // of how many allocations one is sampled
	sampled         atomic.Uint64 // allocations that were chosen so far
	auditing        atomic.Bool   // the mode is ModeAudit now
	dataUsed        atomic.Uint64 // bytes of arenas that were ever used
	cachesReady     atomic.Int64  // Ps with a lower index have a cache; grows under pages
	journalsReady   atomic.Int32  // Ps with a lower index can be audited
	quarantineShare atomic.Uint64 // bytes that one P may hold back
	closed          atomic.Bool
	reports         reportlimit.Limit
	violations      atomic.Uint64 // that were met

	// Guarded by pages, with everything in the mapping that is not a bin's or a cache's.
	pages            sync.Mutex
	arenasReady      uint64 // bytes of the arena table that are usable
	pageMapReady     uint64 // of the page map
	descriptorsReady uint64 // of the descriptors
	recordsReady     uint64 // of the records
	stacksReady      bool   // the stack table is usable
	guardsReady      bool   // the guard pool is usable
	spansSampled     uint64 // spans that guarding was asked for
	dirtyPages       int
	dirtyLeast       int // the least that dirtyPages was since the scavenger's last step
	huge             hugePages
	freeArenas       []uint64   // arenas that became free; some may be in use again
	unmappedFrom     uint64     // no arena below is unmapped
	retainedFrom     uint64     // no arena below is retained
	searchFrom       [10]uint64 // [k]: no arena below has a free run of 2^k pages

	recent recentCallers

	class   [256]class // by bin
	classOf classTable
}

var errClosed = errors.New("the heap is closed")

// New makes a heap, with options that the environment may override (see Environment). It fails when an option can't be had or the system grants neither reserve nor memory; the error says
// which. A heap that is not needed any more must be closed: the collector does not know its memory.
func New(options Options) (*Heap, error) {
	options, err := fromEnvironment(options)
	if err != nil {
		return nil, err
	}
	if options, err = options.withDefaults(); err != nil {
		return nil, err
	}
	arenas := uint32((options.ReserveBytes + layout.ArenaBytes - 1) / layout.ArenaBytes)
	h := &Heap{options: options, huge: hugePages{wanted: options.HugePages}}
	if options.BreakFile != "" {
		if h.watch, err = newWatch(options.BreakFile); err != nil {
			return nil, err
		}
	}
	wanted := arenas
	for {
		h.memory, err = reserve(options, layout.Place(arenas).End)
		if err == nil {
			break
		}
		if !errors.Is(err, errNoAddressSpace) {
			return nil, fmt.Errorf("glassheap: heap %q: %w", options.Name, err)
		}
		// Less address space is better than no heap; Stats tells.
		if arenas /= 2; arenas < leastReserveBytes/layout.ArenaBytes {
			return nil, fmt.Errorf("glassheap: heap %q: the system refuses to reserve even %d MiB of address space (ulimit -v?): %w", options.Name, leastReserveBytes>>20, err)
		}
	}
	if err := h.initialise(arenas, uint64(wanted-arenas)*layout.ArenaBytes); err != nil {
		h.memory.close()
		return nil, fmt.Errorf("glassheap: heap %q: %w", options.Name, err)
	}
	h.startArmer()
	h.startScavenger()
	register(h)
	return h, nil
}

// initialise writes the header, the schema and the bins into fresh memory.
func (h *Heap) initialise(arenas uint32, shortage uint64) error {
	places := layout.Place(arenas)
	h.base = h.memory.base
	h.baseAddress = uint64(uintptr(h.base))
	h.bins = unsafe.Add(h.base, places.Bins)
	h.caches = unsafe.Add(h.base, places.Caches)
	h.magazines = unsafe.Add(h.caches, layout.CacheMagazines)
	h.arenas = unsafe.Add(h.base, places.Arenas)
	h.pageMap = unsafe.Add(h.base, places.PageMap)
	h.stacks = unsafe.Add(h.base, places.Stacks)
	h.recent.stacks = unsafe.Add(h.stacks, layout.StackTableBytes)
	h.recent.depth = h.options.StackDepth
	h.journals = unsafe.Add(h.base, places.Journals)
	h.guards = unsafe.Add(h.base, places.Guards)
	h.guardPages = h.baseAddress + places.GuardPages
	h.dataOffset = places.Data
	h.data = h.baseAddress + places.Data
	h.sealed = h.options.Mode != ModePlain
	h.grain = h.options.Geometry.Grain()

	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return fmt.Errorf("no random secret: %w", err)
	}
	h.secret = binary.LittleEndian.Uint64(random[:])

	for _, part := range [][2]uint64{{0, layout.HeaderBytes}, {places.Bins, layout.MaxBins * layout.BinBytes}} {
		if err := h.memory.commit(part[0], (part[1]+layout.PageBytes-1)&^(layout.PageBytes-1)); err != nil {
			return fmt.Errorf("the system gave no memory for the header: %w", err)
		}
	}
	schema := layout.SchemaText()
	copy(unsafe.Slice((*byte)(unsafe.Add(h.base, layout.SchemaOffset)), layout.HeaderBytes-layout.SchemaOffset), schema)
	figures := layout.Classes(h.options.Geometry, h.options.Mode.SealBytes())
	for i, f := range figures {
		*h.bin(i) = layout.Bin{
			ID: uint32(i), Size: f.Size, Stride: f.Stride, SlabPages: f.SlabPages, Capacity: f.Capacity, Magazine: f.Magazine, Share: f.Share,
			DescriptorBytes: uint32(layout.SlabDescriptorBytes(f.Capacity)),
		}
	}
	h.class, h.classOf, h.mostSmall = newClasses(figures)

	id := layout.Identity{
		Magic: layout.Magic, Version: layout.Version, Mode: h.options.Mode, Base: h.baseAddress, Reserve: places.End, Secret: h.secret,
		PID: uint32(os.Getpid()), Backing: h.memory.backing, StartedUnix: time.Now().Unix(), Geometry: h.options.Geometry,
		BinCount: uint32(len(figures)), ArenasMax: arenas, CachesMax: layout.MaxCaches, PageBytes: layout.PageBytes, ArenaBytes: layout.ArenaBytes,
		SealBytes: h.options.Mode.SealBytes(), SchemaBytes: uint32(len(schema)), Schema: h.baseAddress + layout.SchemaOffset, SchemaHash: layout.Hash(schema),
		Bins:           layout.Ref[layout.Bin](h.baseAddress + places.Bins),
		Caches:         layout.Ref[layout.Cache](h.baseAddress + places.Caches),
		Arenas:         layout.Ref[layout.Arena](h.baseAddress + places.Arenas),
		PageMap:        layout.Ref[layout.PageEntry](h.baseAddress + places.PageMap),
		Descriptors:    h.baseAddress + places.Descriptors,
		DescriptorsEnd: h.baseAddress + places.DescriptorsEnd,
		Stacks:         layout.Ref[layout.StackTable](h.baseAddress + places.Stacks),
		Journals:       layout.Ref[layout.Journal](h.baseAddress + places.Journals),
		Records:        h.baseAddress + places.Records,
		RecordsEnd:     h.baseAddress + places.RecordsEnd,
		Guards:         layout.Ref[layout.GuardPool](h.baseAddress + places.Guards),
		GuardPages:     h.guardPages,
		Data:           h.data,
	}
	copy(id.Name[:], h.options.Name)
	id.Checksum = id.Sum()
	*h.header() = layout.Header{
		Identity: id, Twin: id, DescriptorsTop: id.Descriptors, ReserveShortage: shortage,
		Mode: id.Mode, StackDepth: uint32(h.options.StackDepth), Sequence: 1, RecordsTop: id.Records, QuarantineLimit: uint64(h.options.QuarantineBytes),
		MemoryLimit: uint64(h.options.LimitBytes) &^ (layout.PageBytes - 1),
	}
	if err := h.readyCaches(runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	if err := h.applyMode(h.options.Mode); err != nil {
		return err
	}
	if err := h.SetGuardRate(h.options.GuardRate); err != nil {
		return err
	}
	return h.SetProfileRate(h.options.ProfileRate)
}

// readyCaches makes the caches of the first procs Ps usable.
func (h *Heap) readyCaches(procs int) error {
	h.lockPages()
	defer h.unlockPages()
	want := min(max(cachesWanted(procs), int(h.cachesReady.Load())), layout.MaxCaches)
	if procs > layout.MaxCaches {
		return fmt.Errorf("GOMAXPROCS is above %d: no more caches fit into the heap", layout.MaxCaches)
	}
	ready := uint64(h.cachesReady.Load()) * layout.CacheBytes
	if err := h.memory.commit(h.offset(h.caches)+ready, uint64(want)*layout.CacheBytes-ready); err != nil {
		return fmt.Errorf("the system gave no memory for the caches: %w", err)
	}
	for i := int(h.cachesReady.Load()); i < want; i++ {
		c := h.cache(i)
		c.ID, c.Ready = uint32(i), 1
	}
	if h.header().JournalsReady > 0 {
		if err := h.readyJournals(want); err != nil {
			return err
		}
	}
	h.header().CachesReady = uint64(want)
	h.quarantineShare.Store(uint64(h.options.QuarantineBytes) / uint64(want))
	h.countJournals() // before the caches: a P that has one and no journal could not be audited
	h.cachesReady.Store(int64(want))
	return nil
}

// Close gives all memory back to the system. What ModeAudit still holds back is verified before. Blocks that are still live are gone with it; the error is then a *LeakError.
// Nothing of the heap may be used afterwards, and no other call may be under way.
func (h *Heap) Close() error {
	if h.closed.Swap(true) {
		return errClosed
	}
	h.stopArmer()
	h.stopScavenger()
	h.verifyQuarantine()
	stats, leaks := h.Stats(), []Leak(nil)
	if stats.LiveBlocks > 0 && h.sealed {
		leaks = h.leaks()
	}
	unregister(h)
	h.pages.Lock()
	defer h.pages.Unlock()
	h.cachesReady.Store(0)
	h.journalsReady.Store(0)
	h.dataUsed.Store(0)
	h.quickData.Store(0)
	h.quickBelow.Store(0)
	if err := h.memory.close(); err != nil {
		return fmt.Errorf("glassheap: closing heap %q: %w", h.options.Name, err)
	}
	if stats.LiveBlocks > 0 {
		return &LeakError{Heap: h.options.Name, Blocks: stats.LiveBlocks, Leaks: leaks}
	}
	return nil
}

// Every open heap, so that a foreign address can be told from one of another heap.
var (
	heapsLock sync.Mutex
	heaps     []*Heap
)

func register(h *Heap) {
	watching.Lock()
	defer watching.Unlock()
	heapsLock.Lock()
	heaps = append(heaps, h)
	heapsLock.Unlock()
	for _, w := range watchers {
		w.made(h)
	}
}

func unregister(h *Heap) {
	watching.Lock()
	defer watching.Unlock()
	for _, w := range watchers {
		w.closed(h)
	}
	heapsLock.Lock()
	defer heapsLock.Unlock()
	for i, other := range heaps {
		if other == h {
			heaps = append(heaps[:i], heaps[i+1:]...)
			return
		}
	}
}

// heapOf is the open heap in whose range address lies; nil: none.
func heapOf(address uint64) *Heap {
	heapsLock.Lock()
	defer heapsLock.Unlock()
	for _, h := range heaps {
		if address-h.baseAddress < h.memory.bytes {
			return h
		}
	}
	return nil
}

// HeapAt is the open heap in whose range p lies; nil: none. It is for those who have an address and not the heap.
func HeapAt(p unsafe.Pointer) *Heap { return heapOf(uint64(uintptr(p))) }

// Name is the heap's name.
func (h *Heap) Name() string { return h.options.Name }

// Range is the address range that the heap has reserved: the address of its Header and the size in bytes. Only parts of it
// are accessible.
func (h *Heap) Range() (address, bytes uint64) { return h.baseAddress, h.memory.bytes }
