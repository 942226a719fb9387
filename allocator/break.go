package allocator

import (
	"fmt"
	"sync"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/leaksignature"
)

// watch knows the stacks at which a debugger wants to stop: those from which an earlier run leaked.
type watch struct {
	set   *leaksignature.Set
	known sync.Map // layout.StackRef → bool: whether the stack is one of them
}

// newWatch reads the file of Options.BreakFile.
func newWatch(path string) (*watch, error) {
	set, err := leaksignature.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("glassheap: the stacks to stop at can't be read: %w", err)
	}
	return &watch{set: set}, nil
}

// wants reports whether an operation's stack is one of those.
func (w *watch) wants(h *Heap, ref layout.StackRef) bool {
	if ref == 0 {
		return false
	}
	if known, ok := w.known.Load(ref); ok {
		return known.(bool)
	}
	matches := w.set.Match(callFrames(h.operation(0, 0, ref).Stack))
	w.known.Store(ref, matches)
	return matches
}

// watched calls OnAlloc if a debugger wants to stop at the allocation. The goroutine is not pinned.
func (h *Heap) watched(address uint64, size int, by caller) {
	if h.watch != nil && h.watch.wants(h, by.stack) {
		OnAlloc(address, size)
	}
}
