package allocator

import "sync"

// Watch calls made for each heap that is open, then for each that New makes, and closed for each before its memory is given
// back, until the function that it returns was called. It is for what has to know every heap of the program: the recorder.
//
// The calls come one at a time, on the goroutine of New, Close or Watch, and hold these up. They must not call New, Close,
// Watch or stop.
func Watch(made, closed func(*Heap)) (stop func()) {
	w := &watcher{made, closed}
	watching.Lock()
	defer watching.Unlock()
	watchers = append(watchers, w)
	heapsLock.Lock()
	open := append([]*Heap(nil), heaps...)
	heapsLock.Unlock()
	for _, h := range open {
		made(h)
	}
	return func() {
		watching.Lock()
		defer watching.Unlock()
		for i, other := range watchers {
			if other == w {
				watchers = append(watchers[:i], watchers[i+1:]...)
				return
			}
		}
	}
}

type watcher struct{ made, closed func(*Heap) }

var (
	watching sync.Mutex // taken before heapsLock, and held while watchers are called
	watchers []*watcher
)
