package glassheaparrow

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// Allocator is a memory.Allocator of Arrow over a heap. The zero value is ready for use: its first block makes a heap with
// the default options, which GLASSHEAP overrides (allocator.Environment). All methods but Close are safe for concurrent use.
type Allocator struct {
	heap    atomic.Pointer[allocator.Heap] // nil: there is none yet
	opening sync.Mutex                     // while the zero value's heap is made
	owned   bool                           // the heap was made here, so Close closes it
}

// New makes an Allocator over a heap that is open. The heap stays the caller's to close, after the last buffer was released.
func New(h *allocator.Heap) *Allocator {
	a := new(Allocator)
	a.heap.Store(h)
	return a
}

// Heap is the heap that the blocks come from: for its Stats, SetLimit, SetMode. It is made if there is none yet; the error says
// why there can be none.
func (a *Allocator) Heap() (*allocator.Heap, error) {
	if h := a.heap.Load(); h != nil {
		return h, nil
	}
	a.opening.Lock()
	defer a.opening.Unlock()
	if h := a.heap.Load(); h != nil {
		return h, nil
	}
	h, err := allocator.New(allocator.Options{Name: heapName(), StackDepth: layout.MaxStackDepth})
	if err != nil {
		return nil, err
	}
	a.owned = true
	a.heap.Store(h)
	return h, nil
}

// Close closes the heap that the zero value made; then a is as new. The error is an *allocator.LeakError when blocks are live.
// An Allocator from New has nothing to close. No other call may be under way, and no buffer may be used afterwards.
func (a *Allocator) Close() error {
	h := a.heap.Load()
	if h == nil || !a.owned {
		return nil
	}
	a.heap.Store(nil)
	a.owned = false
	return h.Close()
}

// mustHeap is Heap for where there is no place for an error.
func (a *Allocator) mustHeap() *allocator.Heap {
	h, err := a.Heap()
	if err != nil {
		panic(err)
	}
	return h
}

var heapsNamed atomic.Int64

// heapName is a name that no other heap made here has.
func heapName() string {
	n := heapsNamed.Add(1)
	if n == 1 {
		return "arrow"
	}
	return fmt.Sprintf("arrow %d", n)
}
