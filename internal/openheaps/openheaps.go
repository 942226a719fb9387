// Package openheaps counts the heaps of the program that are open, for what watches them from inside the program: metrics. A heap that
// is being closed stays until it has been counted.
package openheaps

import (
	"fmt"
	"slices"
	"sync"

	"github.com/glassheap/glassheap/allocator"
)

// Counted is what one heap counts.
type Counted struct {
	// Name is the heap's. Of several open heaps with one name the second is NAME#2, and so on, as long as it is open.
	Name string
	allocator.Stats
}

var (
	watch sync.Once
	lock  sync.Mutex // taken after the allocator's, as Watch calls made and closed under one; Stats takes none that Watch holds
	open  []named    // in the order in which they were made
)

type named struct {
	name string
	heap *allocator.Heap
}

// Count counts the heaps that are open: all of the program, or only those that are given, in the order in which they were made. It
// takes the locks of each heap's size classes one after the other, some microseconds. Any goroutine may call it at any time, but
// for the functions that allocator.Watch calls.
func Count(only ...*allocator.Heap) (counted []Counted) {
	watch.Do(func() { allocator.Watch(made, closed) })
	lock.Lock()
	defer lock.Unlock()
	for _, n := range open {
		if len(only) == 0 || slices.Contains(only, n.heap) {
			counted = append(counted, Counted{n.name, n.heap.Stats()})
		}
	}
	return counted
}

func made(h *allocator.Heap) {
	lock.Lock()
	defer lock.Unlock()
	name := h.Name()
	for i := 2; slices.ContainsFunc(open, func(n named) bool { return n.name == name }); i++ {
		name = fmt.Sprintf("%s#%d", h.Name(), i)
	}
	open = append(open, named{name, h})
}

func closed(h *allocator.Heap) {
	lock.Lock()
	defer lock.Unlock()
	open = slices.DeleteFunc(open, func(n named) bool { return n.heap == h })
}
