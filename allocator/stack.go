package allocator

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// caller is who does an audited operation.
type caller struct {
	goroutine uint64
	stack     layout.StackRef
}

// whoCalls is the caller of the allocator. It may lock the stack table, so the goroutine must not be pinned. skip is how many frames
// above whoCalls belong to the allocator; further ones are left out when the stack is shown.
func (h *Heap) whoCalls(skip int) caller {
	var addresses [layout.MaxStackDepth]uint64
	depth := callStack(addresses[:h.options.StackDepth], skip)
	return caller{goroutineID(), h.internStack(addresses[:depth])}
}

// recentCallers are the stacks that were asked for last, by the place that asked. The same few places allocate most of the
// time: to compare with the stack that came from there last while walking is quicker than to walk and look up.
type recentCallers struct {
	stacks  unsafe.Pointer                // where stacks begin
	depth   int                           // Options.StackDepth
	byPlace [1 << placeBits]atomic.Uint64 // a StackRef, and its stack's depth in the upper half
}

// newCaller is what whoCalls tells its caller, who asked recentCaller in vain; the next time it knows.
//
//go:noinline
func (h *Heap) newCaller(skip int, place uint32) caller {
	by := h.whoCalls(skip + 1)
	if by.stack != 0 {
		h.recent.byPlace[place].Store(uint64(by.stack) | uint64(len(frames(h.stackAt(by.stack.Offset()))))<<32)
	}
	return by
}

// For the assembly of recentCaller.
const (
	placeBits       = 8
	placeMultiplier = 0x1e3779b97f4a7c15 // odd, with no long runs of equal bits
	stackPlaceMask  = layout.StackPlaceMask
	stackHeadBytes  = layout.StackHeadBytes
	stackGrain      = layout.StackGrain // 8: the assembly scales by it
)

// readyStacks makes the stack table usable: all of it, since it takes memory only as stacks come. The pages' lock is held.
func (h *Heap) readyStacks() error {
	if h.stacksReady {
		return nil
	}
	if err := h.memory.commit(h.offset(h.stacks), layout.StackTableRoom); err != nil {
		return fmt.Errorf("the system gave no memory for the stack table: %w", err)
	}
	h.stacksReady = true
	return nil
}

// internStack is the name of a stack in the table, to which it is added when it is new; 0 when the table is full.
func (h *Heap) internStack(addresses []uint64) layout.StackRef {
	if len(addresses) == 0 {
		return 0
	}
	hash := layout.HashStack(addresses)
	bucket := (*uint32)(&h.stackTable().Buckets[hash%layout.StackBuckets])
	first := layout.StackRef(atomic.LoadUint32(bucket))
	if ref := h.findStack(first, hash, addresses); ref != 0 {
		return ref
	}
	return h.addStack(hash, addresses)
}

func (h *Heap) findStack(ref layout.StackRef, hash uint64, addresses []uint64) layout.StackRef {
	for ref != 0 {
		s := h.stackAt(ref.Offset())
		if s.Hash == hash && slices.Equal(frames(s), addresses) {
			return ref
		}
		ref = s.Next
	}
	return 0
}

func (h *Heap) addStack(hash uint64, addresses []uint64) layout.StackRef {
	t := h.stackTable()
	for !tryLock(&t.Lock, 0) {
		runtime.Gosched()
	}
	defer unlock(&t.Lock)
	bucket := &t.Buckets[hash%layout.StackBuckets]
	if ref := h.findStack(*bucket, hash, addresses); ref != 0 {
		return ref // somebody was quicker
	}
	used := t.Used
	end := used + layout.StackBytes(uint32(len(addresses)))
	if layout.StackTableBytes+end > layout.StackTableRoom {
		t.Lost++
		return 0
	}
	s := h.stackAt(used)
	s.Hash, s.Next, s.Depth = hash, *bucket, uint32(len(addresses))
	copy(frames(s), addresses)
	t.Used, t.Count = end, t.Count+1
	ref := layout.RefStack(used, hash)
	atomic.StoreUint32((*uint32)(bucket), uint32(ref)) // the stack is whole: lookups that hold no lock may find it
	return ref
}
