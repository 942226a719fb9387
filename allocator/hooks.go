package allocator

import "github.com/glassheap/glassheap/allocator/layout"

// Hooks for debuggers: empty functions with stable names that are never inlined, so that a breakpoint on them stops at the
// moment they are named for, with the struct in question as the argument.

// OnArenaReady is called when an arena has been mapped and its struct initialised.
//
//go:noinline
func OnArenaReady(arena *layout.Arena) {}

// OnSlabReady is called when a slab has its pages, its struct and its links, before any block of it is handed out.
//
//go:noinline
func OnSlabReady(slab *layout.Slab) {}

// OnAlloc is called with each allocation from a stack of Options.BreakFile, when the block has been made and before its
// caller gets it.
//
//go:noinline
func OnAlloc(address uint64, size int) {}

// OnViolation is called with each violation, before the policy runs.
//
//go:noinline
func OnViolation(violation *Violation) {}
