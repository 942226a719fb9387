// Package memory stands in for modernc.org/memory, so that pure-Go SQLite (modernc.org/sqlite) and everything else that was
// transpiled with ccgo lives on a glassheap. It has that package's whole API; nothing of its code. A program is put on it by
// a replace directive in its go.mod:
//
//	go mod edit -replace modernc.org/memory=GLASSHEAP/allocator/modernc -replace github.com/glassheap/glassheap=GLASSHEAP
//	go mod tidy
//
// where GLASSHEAP is the folder of a clone. `glassheap check PID` then answers for the running program.
//
// Each Allocator has a heap of its own, made with its first block: sealed, or what the environment variable GLASSHEAP says
// (allocator.Environment). A violation does what the policy says: it panics with an *allocator.Violation, or, with
// GLASSHEAP=policy=report, is written to standard error and returned as the error. modernc.org/libc passes the error of free
// over, so with that policy its programs go on, without the block.
//
// What differs from modernc.org/memory:
//
//   - An Allocator may be used by several goroutines at a time, except for Close and Trim, which want it for themselves, and
//     the counters, which are plain fields.
//   - The capacity of a slice, and what the UsableSize functions say, is what was asked for: a byte more would hit what is
//     watched. In plain mode it may be more.
//   - Trim gives everything back, the heap and its reserve included, when no block is live.
//   - Close returns an *allocator.LeakError in audit mode, when blocks are still live. In the other modes it frees them
//     silently, because closing an Allocator instead of freeing its blocks is allowed.
//   - The UsableSize functions run the policy when the address is no live block's.
package memory
