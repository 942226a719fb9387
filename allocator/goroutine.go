package allocator

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The runtime does not tell which goroutine is running, short of the text of a traceback, which takes microseconds. The
// id is a word in the goroutine's g: where, is found out once, by comparing the words of several goroutines with their
// tracebacks.

// goroutineWord is the offset of the id in a g; 0: not known, then a traceback has to tell each time.
var goroutineWord atomic.Uintptr

const (
	goroutinesCompared = 4
	goroutineSearch    = 256 // bytes of a g that are searched
)

// goroutineID is the id of the calling goroutine, as a traceback prints it. The goroutine must not be pinned.
func goroutineID() uint64 {
	word := goroutineWord.Load()
	if word == 0 {
		return tracedGoroutine()
	}
	return *(*uint64)(unsafe.Add(g(), word))
}

// learnGoroutineWord finds out where the id lies.
var learnGoroutineWord = sync.OnceFunc(func() {
	if g() == nil {
		return
	}
	var possible [goroutineSearch / 8]int
	var all sync.WaitGroup
	var one sync.Mutex
	for range goroutinesCompared {
		all.Go(func() {
			one.Lock()
			defer one.Unlock()
			id := tracedGoroutine()
			for i := range possible {
				if *(*uint64)(unsafe.Add(g(), uintptr(i)*8)) == id {
					possible[i]++
				}
			}
		})
	}
	all.Wait()
	for i, times := range possible {
		if times == goroutinesCompared {
			goroutineWord.Store(uintptr(i) * 8)
			return
		}
	}
})

// tracedGoroutine is the id of the calling goroutine by its traceback: "goroutine 7 [running]: …".
func tracedGoroutine() uint64 {
	text := make([]byte, 64)
	text = text[:runtime.Stack(text, false)]
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	id, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return id
}
