package allocator

import (
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// armEvery is how often an armable heap looks whether another process wants something of it.
const armEvery = 100 * time.Millisecond

// armer does what other processes want of a heap.
type armer struct{ stop, stopped chan struct{} }

func (h *Heap) startArmer() {
	if !h.options.Armable {
		return
	}
	h.armer = &armer{make(chan struct{}), make(chan struct{})}
	atomic.StoreUint64(&h.header().Armable, 1)
	go func() {
		defer close(h.armer.stopped)
		ticks := time.NewTicker(armEvery)
		defer ticks.Stop()
		for {
			select {
			case <-h.armer.stop:
				return
			case <-ticks.C:
				h.fulfil()
			}
		}
	}()
}

// stopArmer returns when nobody looks at the heap any more. It may be called once.
func (h *Heap) stopArmer() {
	if h.armer != nil {
		close(h.armer.stop)
		<-h.armer.stopped
	}
}

// fulfil does what another process wishes, if one does, and says that it is done. What can't be had stays as it is: the
// header tells what has become of it.
func (h *Heap) fulfil() {
	word := (*uint64)(unsafe.Pointer(&h.header().Wish))
	w := layout.Wish(atomic.LoadUint64(word))
	if w == 0 {
		return
	}
	if w.Valid() {
		if m := w.Mode(); m != 0 {
			_ = h.SetMode(m)
		}
		if rate, ok := w.GuardRate(); ok {
			_ = h.SetGuardRate(rate)
		}
	}
	atomic.CompareAndSwapUint64(word, uint64(w), 0)
}
