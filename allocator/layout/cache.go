package layout

import "unsafe"

// MagazineBlocks is how many blocks fit into a Magazine.
const MagazineBlocks = 60

// Magazine is an array of free blocks, named by their addresses.
//
// In a Cache only the P that owns the cache writes it, while it cannot be preempted; Next is then 0. In a bin's depot it
// is written under the bin's lock, its Tally is a bare count, and Inflow equals it.
//
// The block at Blocks[Count-1] of a cache may be in somebody's hands: Alloc seals it before it takes it off, Free puts it
// on before it seals it, so a reader that finds it sealed as live has found an operation under way.
type Magazine struct {
	Tally  Tally         // how many of Blocks are in use, and all that was ever done
	Inflow int64         // blocks brought in by batches, less those taken out by batches
	Next   Ref[Magazine] // in the depot: the next one
	Bin    uint32
	Limit  uint32                 // Blocks in use at most; 0 while the magazine is spare or was never needed
	Blocks [MagazineBlocks]uint64 `layout:"address"` // those at and above Count are stale
}

// MagazineBytes is the size of a Magazine.
const MagazineBytes = uint64(unsafe.Sizeof(Magazine{}))

// Cache is what one P keeps for itself. It is written by the goroutine that runs on the P, with preemption off.
type Cache struct {
	ID        uint32
	Ready     uint32 // 1 when initialised
	_         [MagazineBytes - 8]byte
	Magazines [MaxBins]Magazine
}

// CacheBytes is the size of a Cache.
const CacheBytes = uint64(unsafe.Sizeof(Cache{}))

// CacheMagazines is where the Magazines begin in a Cache.
const CacheMagazines = uint64(unsafe.Offsetof(Cache{}.Magazines))
