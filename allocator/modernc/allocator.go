package memory

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// Allocator hands out memory that the garbage collector does not know. The zero value is ready for use and takes nothing
// until its first block. All methods but Close and Trim are safe for concurrent use.
//
// The counters are kept with the build tag memory.counters only. Reading them while other goroutines use the Allocator is
// the caller's race.
type Allocator struct {
	Allocs int // live blocks
	Bytes  int // memory that the heap has got from the system for blocks
	Mmaps  int // arenas that this memory is in

	heap unsafe.Pointer // *allocator.Heap, written atomically; nil: there is none yet. No atomic.Pointer, so that vet lets an Allocator be printed
}

// opened is the heap; nil when there is none.
func (a *Allocator) opened() *allocator.Heap { return (*allocator.Heap)(atomic.LoadPointer(&a.heap)) }

// ready is the heap, made if there is none.
func (a *Allocator) ready() (*allocator.Heap, error) {
	if h := a.opened(); h != nil {
		return h, nil
	}
	return a.open()
}

var (
	opening     sync.Mutex // while an Allocator's heap is made
	opens       int        // heaps that were made so far
	complaining sync.Once
)

// open makes the heap, with stacks as deep as can be: SQLite alone has more frames above what a program wrote than most have
// altogether. That there can be none is written to standard error as well, once: modernc.org/libc makes "out of
// memory" of every error, and a wrong GLASSHEAP would never be told.
//
//go:noinline
func (a *Allocator) open() (*allocator.Heap, error) {
	opening.Lock()
	defer opening.Unlock()
	if h := a.opened(); h != nil {
		return h, nil
	}
	name := "modernc.org/memory"
	if opens > 0 {
		name = fmt.Sprintf("modernc.org/memory %d", opens+1)
	}
	h, err := allocator.New(allocator.Options{Name: name, Geometry: allocator.GeometryAligned, StackDepth: layout.MaxStackDepth})
	if err != nil {
		complaining.Do(func() { fmt.Fprintln(os.Stderr, err) })
		return nil, err
	}
	opens++
	atomic.StorePointer(&a.heap, unsafe.Pointer(h))
	return h, nil
}

// Close frees every block, gives all memory back to the system and makes a the zero value again, which may be used anew. No
// other call may be under way. The error is an *allocator.LeakError in audit mode, when blocks were live.
func (a *Allocator) Close() error {
	h := a.opened()
	if h == nil {
		return nil
	}
	audited := h.Mode() == allocator.ModeAudit
	err := h.Close()
	*a = Allocator{}
	if leak := (*allocator.LeakError)(nil); errors.As(err, &leak) && !audited {
		return nil
	}
	return err
}

// Trim gives the memory of what is free back to the system; all of it, and the heap with it, when no block is live. In audit
// mode freed blocks that are held back stay, unless the heap goes. No other call may be under way.
func (a *Allocator) Trim() error {
	h := a.opened()
	if h == nil {
		return nil
	}
	if h.Stats().LiveBlocks == 0 {
		return a.Close()
	}
	h.Scavenge()
	a.count(h, 0)
	return nil
}
