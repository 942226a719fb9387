package allocator

import (
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// The locks of the bins are words in the heap's own memory, so that a reader elsewhere sees who is inside.

func tryLock(l *layout.Lock, holder int) bool {
	word := (*uint64)(unsafe.Pointer(l))
	return atomic.LoadUint64(word) == 0 && atomic.CompareAndSwapUint64(word, 0, uint64(layout.HeldBy(holder)))
}

func unlock(l *layout.Lock) { atomic.StoreUint64((*uint64)(unsafe.Pointer(l)), 0) }

// lockPages takes the lock of everything that is not a bin's: arenas, page map, spans, descriptors. It may be held across
// system calls, so it is a mutex; the word in the header tells readers.
func (h *Heap) lockPages() {
	h.pages.Lock()
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&h.header().PagesLock)), uint64(layout.HeldBy(0)))
}

func (h *Heap) unlockPages() {
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&h.header().PagesLock)), 0)
	h.pages.Unlock()
}
