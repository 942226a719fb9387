//go:build memory.counters

package memory

import (
	"sync"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

var counting sync.Mutex // while counters are written

// count writes the counters, after blocks more were handed out.
func (a *Allocator) count(h *allocator.Heap, blocks int) {
	counting.Lock()
	defer counting.Unlock()
	a.Allocs += blocks
	a.Bytes = int(h.MappedBytes())
	a.Mmaps = a.Bytes / layout.ArenaBytes
}
