// Package report is how glassheap tells of one thing that is wrong: what is known of it (Finding), what the bytes of a block say
// (Overrun, Freed, Span, Edges), and its text (Page). The panic of a program, `glassheap check` and every other answer about a
// block are written by it, so they say the same words about the same damage.
//
// It imports the memory format and the standard library only: the allocator and inspect both use it, and neither the other.
package report
