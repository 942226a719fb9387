// Package layout is the one definition of a heap's memory.
//
// Every byte of bookkeeping that a heap writes is a struct of this package, and every reader (the allocator itself, the
// checker, Delve by DWARF, GDB by DWARF or by the schema) sees it through these structs. They have fixed-size fields,
// no padding and no Go pointer; links are Refs, which are addresses in the process that owns the heap.
//
//	Header     one, at the start: who this heap is (twice), where everything is, which locks are held
//	Bin        one for each size class: its figures, its slabs, its depot
//	Cache      one for each P: a Magazine of blocks for each bin, used without a lock
//	Magazine   an array of free blocks; in a Cache, or full in a Bin's depot
//	Arena      one for each MiB of blocks: how many of its 256 pages are free
//	PageEntry  one for each page: which slab or span it belongs to
//	Slab       one page run cut into equal blocks: what is free in it (a list of indexes, apart from the blocks)
//	Span       one page run, or several whole arenas, that is one large allocation
//	Seal       the last 8 bytes of each block: whose it is, how much of it was asked for, and its state
//
// They lie in one reserved address range, which is also the memory file (file offset = address - Header.Identity.Base):
//
//	Header  schema │ Bins │ Caches │ Arenas │ page map │ descriptors (Slabs with their links, Spans, Magazines) │ data
//
// Each part begins at a page of its own and what is not yet used of it is inaccessible in the owning process, so a stray
// write meets a guard page before it meets a neighbour's figures.
//
// What is always true of a struct stands in its Judge method, once: the allocator's tests, the checker and the question
// "have my structs been initialised properly?" all ask it.
//
// The package imports only the standard library and does no input or output.
package layout
