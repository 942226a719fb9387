// Package allocator is an off-heap memory allocator that can be asked about its memory.
//
//	h, err := allocator.New(allocator.Options{Name: "sessions"})
//	b, err := h.Alloc(50)          // 50 bytes that the garbage collector never sees
//	err = h.Free(b)                // verified: overflow, underflow, double free, wrong size, foreign address
//
// A Heap is one reserved address range over one memory file. Its blocks come from slabs (see package layout for the whole
// picture); each block of a sealed heap ends in a canary word, the seal, which every Alloc and Free verifies.
// What the program itself does not notice, `glassheap check PID` sees from outside.
//
// How an allocation walks, one function for each step:
//
//	Malloc       size → bin → the P's magazine                      alloc.go
//	refill       empty magazine → a batch from the depot or a slab  magazine.go
//	growBin      empty bin → a slab of its own                      slab.go
//	takeRun      a page run, first fit                              arena.go
//	mapArena     a further arena of the reserve                     arena.go, backing_*.go
//
// and a free walks back: FreePointer, flush, giveBack, releaseEmptySlabs, dropRun, unmapArena. Large allocations skip the
// bins: span.go. What lies idle on the way is given back in the background: scavenge.go.
//
// The Go runtime does not know the heap's memory: neither debug.SetMemoryLimit (GOMEMLIMIT) nor debug.SetGCPercent (GOGC) counts it.
// Where a program may take so much and no more, as in a container, share it out: SetLimit or Options.LimitBytes for each heap, its
// metadata beside it (Stats.MetadataBytes), and the rest, less a tenth for what neither counts, for debug.SetMemoryLimit. Objects that
// moved off-heap no longer count for GOGC either: with fewer live bytes the collector runs more often, at the same cost for
// each byte allocated, so a higher GOGC keeps the number of cycles that it was.
//
// All methods of a Heap are safe for concurrent use. Memory from it holds no Go pointers: the collector does not look there,
// so what they point to would be freed (Make refuses such types). The race detector does not see this memory either.
package allocator
