// Package peers holds the allocators that are compared and the workloads they are compared by.
//
//	Workload   what is done: pairs, bursts, a mix, two goroutines …    workload.go
//	task       a workload bound to one peer, ready to be timed         task.go
//	loops      the five loops of one peer, nothing between them and    glassheap.go, modernc.go, gomake.go, pool.go, arrow_go.go …
//	           the allocator: no interface, no closure, no generics    c.go: the C allocators, one call by cgo for each operation
//	steps      what is drawn from chance, or read from a recording     tape.go, trace.go
//	nothing    the loop of the mix without an allocator                nothing.go
//	Population blocks that are written to, to measure memory by        population.go
//	Absent     the peers that this machine does not have               absent.go
//
// A workload is defined once and runs over the loops of every peer. It calls a loop once for thousands of blocks, so that
// this indirect call costs nothing that shows; inside the loop each peer calls its own natural API. That is why the loops
// are written out for each peer: a generic one would reach the allocator through a dictionary, at half a nanosecond a call.
//
// The timed workloads write nothing to the blocks: what is timed is the allocator alone. Peers that clear their
// blocks are the exception that cannot be helped, and a realloc that moves a block copies it.
package peers
