package allocator

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Kind is what rule a violation broke.
type Kind string

const (
	Overflow       Kind = "overflow"         // bytes behind a block were written
	Underflow      Kind = "underflow"        // bytes before a block were written
	DoubleFree     Kind = "double-free"      // the block is free already
	InvalidFree    Kind = "invalid-free"     // the address is not that of a block
	SizeMismatch   Kind = "size-mismatch"    // freed with another size than it was allocated with
	WriteAfterFree Kind = "write-after-free" // a free block was written to
	UseAfterFree   Kind = "use-after-free"   // a free block was passed to Realloc or UsableSize, or accessed while it was guarded
	OutOfBounds    Kind = "out-of-bounds"    // a guarded block was accessed outside of its bounds
)

// Violation is a broken rule of the heap, found by Alloc, Free, Realloc or UsableSize. It is the error they return and the
// value that PolicyPanic panics with.
type Violation struct {
	Kind    Kind
	Heap    string // name of the heap that noticed
	During  string // the operation: "free", "alloc", "realloc", "usable size"
	Address uint64 // as it was passed in, or the block's
	Block   uint64 // start of the block that it is about; 0: none
	Bin     int    // its size class; -1: a span, a guarded block, or no block
	Size    int    // bytes that were asked for; -1: not known
	Detail  string // what was found, in a sentence

	// What ModeAudit knows of the block; nil: nothing.
	Allocated *Operation // who allocated it
	Freed     *Operation // who freed it before
	Now       *Operation // who was at it when the violation was found
}

// Error is Summary, followed by who allocated the block, who freed it and who was at it now, as far as ModeAudit recorded them.
func (v *Violation) Error() string {
	text := v.Summary()
	if v.Allocated != nil {
		text += v.Allocated.text("allocated by")
	}
	if v.Freed != nil {
		text += v.Freed.text("freed by")
	}
	if v.Now != nil && (v.Allocated != nil || v.Freed != nil) {
		text += v.Now.text(v.now())
	}
	return text
}

// now is how reports call what was under way when the violation was found.
func (v *Violation) now() string {
	if v.During == "free" && v.Kind == DoubleFree {
		return "freed again by"
	}
	return "found by"
}

// Summary says in a line what happened, to which block, and how to see more.
func (v *Violation) Summary() string {
	text := fmt.Sprintf("glassheap: %s during %s of %s in heap %q: %s", v.Kind, v.During, layout.Hex(v.Address), v.Heap, v.Detail)
	if v.Block != 0 && v.Bin >= 0 {
		text += fmt.Sprintf(" (block %s, bin %d)", layout.Hex(v.Block), v.Bin)
	}
	return text
}
