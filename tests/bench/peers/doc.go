// Package peers holds the allocators that are compared and the workloads they are compared by.
//
//	Workload   what is done: pairs, bursts, a mix, two goroutines …    workload.go
//	task       a workload bound to one peer, ready to be timed         task.go
//	loops      the four loops of one peer, nothing between them and    glassheap.go, glassheap_slice.go, modernc.go,
//	           the allocator: no interface, no closure, no generics    modernc_mutex.go, gomake.go
//
// A workload is defined once and runs over the loops of every peer. It calls a loop once for thousands of blocks, so that
// this indirect call costs nothing that shows; inside the loop each peer calls its own natural API. That is why the loops
// are written out for each peer: a generic one would reach the allocator through a dictionary, at half a nanosecond a call.
//
// Nothing is written to the blocks: what is timed is the allocator alone. Go's make is the exception that cannot be helped,
// it clears the block.
package peers
