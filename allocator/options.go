package allocator

import (
	"fmt"
	"math"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Options say what New makes. The zero value is a sealed, growing heap with the default geometry over a memfd (anonymous
// memory where there is none) that panics on a violation.
type Options struct {
	// Name is how tools show the heap, at most 31 bytes; default "heap".
	Name string
	// Mode is how much is written and verified with each block; default ModeSealed.
	Mode Mode
	// Geometry is the table of size classes; default GeometryDefault.
	Geometry Geometry
	// Backing is what holds the memory; default BackingMemfd on Linux, else BackingAnonymous.
	Backing Backing
	// Path is the file of BackingFile. It must not exist yet, and stays when the heap is closed.
	Path string
	// ReserveBytes is the address space for blocks, rounded up to whole MiB; default 64 GiB. It costs no memory. Where the
	// system refuses it (RLIMIT_AS), New settles for less, down to 16 MiB, and Stats says so.
	ReserveBytes int64
	// LimitBytes is how much memory the heap's arenas may take, see SetLimit; 0, the default: as much as ReserveBytes has room for.
	LimitBytes int64
	// RetainBytes is how much memory of freed page runs, and of freed blocks of more than about 1 MiB, is kept for reuse before it is
	// given back; default 16 MiB. A larger block's goes back at once, and to fault it in anew takes some 0.7 ms for each MiB. What is
	// kept of blocks of more than 1 MiB is inaccessible until then.
	RetainBytes int64
	// ScavengeAfter is how long memory must be idle before it is given back in the background, some of it at a time: blocks in
	// magazines and depots of size classes that nobody used, their empty slabs, free pages that nobody took (RetainBytes keeps them
	// until then). A goroutine lives only while it does that. Default 10 s; negative: never, but for Scavenge.
	ScavengeAfter time.Duration
	// HugePages has the arenas of slabs come in pairs of 2 MiB on huge pages, where the system grants them: fewer misses of the
	// processor's address cache and of the page table, for memory that is held in larger pieces. Stats says how many bytes have
	// them, and why not. Whole arenas of large allocations stay on small pages.
	HugePages bool
	// StackDepth is how many frames of a call stack ModeAudit keeps, at most 32; default 16.
	StackDepth int
	// QuarantineBytes is how much freed memory ModeAudit holds back from reuse, rounded up to a block for each P, and as much
	// again in spans; default 16 MiB.
	QuarantineBytes int64
	// GuardRate puts one of this many allocations of at most a page, rounded up to a power of two, on a page of its own between
	// inaccessible ones, in any mode: reads and writes out of its bounds or after it was freed fault at the instruction, and
	// Explain says what happened. 0, the default: none; 1: all, as long as the pool of 512 lasts.
	GuardRate int
	// ProfileRate records who makes one of this many allocations, rounded up to a power of two, in ModeSealed: enough for a profile
	// of what is live, at next to no cost (see Leaks). 0, the default: none. ModeAudit records all.
	ProfileRate int
	// Armable lets another process of the same user change the mode and the guard rate while the program runs (`glassheap arm`).
	// A goroutine looks ten times a second whether one wishes to.
	Armable bool
	// BreakFile is a file of stacks that `glassheap leaks --learn` wrote: OnAlloc is called, for a debugger to stop in, with each
	// allocation from one of them. It takes ModeAudit, which it turns on.
	BreakFile string
	// Policy is what a violation does; default PolicyPanic.
	Policy Policy
	// OnViolation, if set, is called with each violation instead of what Policy says: Policy, and policy in the environment, then
	// have no effect. When it returns, the program goes on as with PolicyReport: the violation is returned as the error, and a
	// damaged block is withdrawn. When it panics, that is as with PolicyPanic. It runs on the goroutine that met the violation,
	// which is often not the one that caused it, holds no lock of the heap and may use it. It is not called for a fault on a
	// guard page: that ends the program, unless CatchFaults makes an error of it.
	OnViolation func(*Violation)
}

// The modes, geometries and backings are those of the memory format.
type (
	Mode     = layout.Mode
	Geometry = layout.Geometry
	Backing  = layout.Backing
)

// See the constants of package layout for what each means.
const (
	ModePlain  = layout.ModePlain
	ModeSealed = layout.ModeSealed
	ModeAudit  = layout.ModeAudit

	GeometryDefault = layout.GeometryDefault
	GeometryNotes   = layout.GeometryNotes
	GeometryAligned = layout.GeometryAligned

	BackingMemfd     = layout.BackingMemfd
	BackingFile      = layout.BackingFile
	BackingAnonymous = layout.BackingAnonymous
)

const (
	defaultReserveBytes  = 64 << 30
	leastReserveBytes    = 16 << 20
	mostReserveBytes     = 8 << 40
	defaultRetainBytes   = 16 << 20
	defaultStackDepth    = 16
	defaultScavengeAfter = 10 * time.Second
	defaultQuarantine    = 16 << 20
	mostQuarantine       = 1 << 40
	mostRate             = 1 << 30
)

// withDefaults fills in what is not set and refuses what cannot be.
func (o Options) withDefaults() (Options, error) {
	if o.Name == "" {
		o.Name = "heap"
	}
	if o.Mode == 0 {
		o.Mode = ModeSealed
	}
	if o.Backing == 0 {
		o.Backing = defaultBacking
		if o.Path != "" {
			o.Backing = BackingFile
		}
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = defaultReserveBytes
	}
	if o.RetainBytes == 0 {
		o.RetainBytes = defaultRetainBytes
	}
	if o.ScavengeAfter == 0 {
		o.ScavengeAfter = defaultScavengeAfter
	}
	if o.BreakFile != "" {
		o.Mode = ModeAudit
	}
	if o.StackDepth == 0 {
		o.StackDepth = defaultStackDepth
	}
	if o.QuarantineBytes == 0 {
		o.QuarantineBytes = defaultQuarantine
	}
	switch {
	case len(o.Name) > len(layout.Identity{}.Name)-1:
		return o, fmt.Errorf("glassheap: Options.Name has %d bytes, at most %d fit into the header", len(o.Name), len(layout.Identity{}.Name)-1)
	case !o.Mode.Valid():
		return o, fmt.Errorf("glassheap: Options.Mode is %d: choose ModePlain, ModeSealed or ModeAudit", o.Mode)
	case !o.Geometry.Valid():
		return o, fmt.Errorf("glassheap: Options.Geometry is %d: choose GeometryDefault, GeometryNotes or GeometryAligned", o.Geometry)
	case o.Backing > BackingAnonymous:
		return o, fmt.Errorf("glassheap: Options.Backing is %d: choose BackingMemfd, BackingFile or BackingAnonymous", o.Backing)
	case (o.Backing == BackingFile) != (o.Path != ""):
		return o, fmt.Errorf("glassheap: Options.Path %q with %s backing: a path goes with BackingFile, and only with it", o.Path, o.Backing)
	case o.ReserveBytes < layout.ArenaBytes || o.ReserveBytes > mostReserveBytes:
		return o, fmt.Errorf("glassheap: Options.ReserveBytes is %d: it must lie from %d (1 MiB) to %d (8 TiB)", o.ReserveBytes, layout.ArenaBytes, int64(mostReserveBytes))
	case o.LimitBytes < 0 || o.LimitBytes > 0 && o.LimitBytes < layout.PageBytes:
		return o, fmt.Errorf("glassheap: Options.LimitBytes is %d: it must be 0, for no limit, or at least %d", o.LimitBytes, layout.PageBytes)
	case o.RetainBytes < 0 || o.RetainBytes > math.MaxInt64/2:
		return o, fmt.Errorf("glassheap: Options.RetainBytes is %d: it must not be negative", o.RetainBytes)
	case o.StackDepth < 1 || o.StackDepth > layout.MaxStackDepth:
		return o, fmt.Errorf("glassheap: Options.StackDepth is %d: it must lie from 1 to %d", o.StackDepth, layout.MaxStackDepth)
	case o.QuarantineBytes < 0 || o.QuarantineBytes > mostQuarantine:
		return o, fmt.Errorf("glassheap: Options.QuarantineBytes is %d: it must lie from 0 to %d (1 TiB)", o.QuarantineBytes, int64(mostQuarantine))
	case o.GuardRate < 0 || o.GuardRate > mostRate:
		return o, fmt.Errorf("glassheap: Options.GuardRate is %d: it must lie from 0 to %d", o.GuardRate, mostRate)
	case o.ProfileRate < 0 || o.ProfileRate > mostRate:
		return o, fmt.Errorf("glassheap: Options.ProfileRate is %d: it must lie from 0 to %d", o.ProfileRate, mostRate)
	case o.ProfileRate > 0 && o.Mode == ModePlain:
		return o, fmt.Errorf("glassheap: Options.ProfileRate is %d, but the mode is plain: without seals nothing tells which blocks are recorded", o.ProfileRate)
	case o.Policy < PolicyPanic || o.Policy > PolicyReport:
		return o, fmt.Errorf("glassheap: Options.Policy is %d: choose PolicyPanic or PolicyReport", o.Policy)
	}
	return o, nil
}
