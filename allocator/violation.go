package allocator

import (
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
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

	Found  *report.Block    // the block as it was found; nil: there is none
	Bytes  *report.Excerpt  // the bytes around the damage, as they were found; nil: none are damaged, or nobody may read them
	Likely string           // what most likely led to it
	Next   []report.Command // what to run to learn more

	// What ModeAudit knows of the block; nil: nothing.
	Allocated *Operation // who allocated it
	Freed     *Operation // who freed it before
	Now       *Operation // who was at it when the violation was found

	damage *report.Damage // that Bytes shows
}

// Error is Summary, and below it what is known: the block, the bytes with the damage marked, the likely cause, who allocated it,
// who freed it and who was at it now as far as ModeAudit recorded them, and what to do next.
func (v *Violation) Error() string {
	var text strings.Builder
	page := report.NewPage(&text, report.Style{})
	page.Printf("%s\n", v.Summary())
	page.Body(v.Finding(), "   ")
	return strings.TrimSuffix(text.String(), "\n")
}

// Summary says in a line what happened, and to which block.
func (v *Violation) Summary() string {
	text := fmt.Sprintf("glassheap: %s during %s of %s in heap %q: %s", v.Kind, v.During, layout.Hex(v.Address), v.Heap, v.Detail)
	if v.Block != 0 && v.Bin >= 0 {
		text += fmt.Sprintf(" (block %s, bin %d)", layout.Hex(v.Block), v.Bin)
	}
	return text
}

// Finding is the violation as `glassheap check --json` tells of damage: for logs that want JSON. Its stacks have names.
func (v *Violation) Finding() *report.Finding {
	f := &report.Finding{
		Code: report.Code(v.Kind), Severity: report.SeverityDamage, Heap: v.Heap, During: v.During, Address: report.Address(v.Address),
		Summary: v.Detail, Cause: v.Likely, Excerpt: v.Bytes, Now: v.Now.told(), Next: v.Next,
	}
	if v.damage != nil {
		f.Found, f.Expected = v.damage.Found, v.damage.Expected
	}
	if v.Found != nil {
		block := *v.Found
		block.Allocated, block.Freed = v.Allocated.told(), v.Freed.told()
		f.Block = &block
	}
	return f
}

// show makes a violation tell of damage.
func (v *Violation) show(d report.Damage) {
	v.damage, v.Detail, v.Likely, v.Bytes = &d, d.Summary, d.Cause, d.Excerpt
	if v.Bytes.From >= v.Bytes.To {
		v.Detail, v.Bytes = "bytes beside the block were written over, and are whole again", nil
	}
}
