// Package glassheaparrow puts Apache Arrow's buffers on a glassheap: memory that the collector does not know, in which every
// block ends in a canary word.
//
//	var mem glassheaparrow.Allocator // ready for use; or glassheaparrow.New(heap)
//	builder := array.NewInt64Builder(&mem)
//
// Allocator is a memory.Allocator of github.com/apache/arrow-go; Checked takes the place of its memory.CheckedAllocator in tests.
// Neither imports anything of Arrow, so they fit every version whose interface has Allocate, Reallocate and Free.
//
// What differs from memory.GoAllocator:
//
//   - Free frees. A buffer that is used after its last Release is a use after free, and one that is never released a leak: with
//     GoAllocator the collector hides both.
//   - Free and Reallocate take what Allocate and Reallocate returned, or a re-slice that begins at the same byte and keeps its
//     capacity. Anything else is a violation.
//   - Reallocate frees the old block when it moves, and it moves more often: always in audit mode, so that whoever still uses
//     the old slice is caught; in the other modes when it grows, and when it shrinks to half of the capacity or less.
//   - That there is no memory is a panic with an error, such as *allocator.LimitError; arrow's interface has no place for it.
package glassheaparrow
