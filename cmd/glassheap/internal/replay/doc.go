// Package replay repeats a recorded program's allocations on a heap, for real: each block is allocated, filled, verified and
// freed when the recording says so.
//
//	r, err := replay.New(replay.Options{Heap: h, Goroutines: 2})
//	result, err := r.Run(ctx, func() (*mtrace.Reader, error) { return mtrace.Open(path) })
//
// How an event walks, one room for each step:
//
//	ledger    what the recording says: which block is live, the counts     ledger.go
//	round     some thousand steps, dealt out to the goroutines             round.go
//	crew      the goroutines, which do a round together                    crew.go
//	block     one step: Malloc, FreePointer or ReallocPointer              block.go
//	pattern   the bytes of a block, written and verified                   pattern.go
//
// # What is counted
//
// The counts come from the recording alone, in its order; neither the heap nor the number of goroutines changes them.
// An alloc is a malloc that gave a block. A free is every free of an address that is not null, so the unknown frees, of
// blocks that were allocated before the recording began, are among them. A realloc counts as one and as neither alloc nor
// free, also when the old block is unknown; the new one is known from there on. Bytes are those that were asked for. The
// peaks are taken after each event, where a realloc is one event: its two blocks never count together. A malloc that failed
// in the recorded program, or a realloc, counts as a failed alloc only and nothing is done. A block at an address where one
// is live already replaces it: the recording lost its free.
//
// # Goroutines
//
// Blocks are dealt out anew for every round, and a round begins when the one before is done. Within a round all steps of
// a block are done by one goroutine, in order; a block that lives on into the next round goes on to the next goroutine.
// So order is kept block by block, the heap is used by all goroutines at once, and blocks are freed by another goroutine
// than the one that allocated them. All of this follows from the recording and the number of goroutines: a second run deals
// the same steps to the same goroutines.
package replay
