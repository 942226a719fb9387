// Command victim dies in the way that its argument says, for the tests of package recorder.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/recorder"
)

// The variables that would show if this program's own initialisation ran in the recorder's process.
func init() {
	if recorder.Recording() {
		panic("an init function of main ran in the second process")
	}
}

func main() {
	modes := strings.Split(os.Args[1], ",")
	is := func(mode string) bool { return slices.Contains(modes, mode) }
	heap := newHeap("sessions", allocator.BackingMemfd)
	kept := must(heap.Alloc(50))
	for range 300 {
		must(heap.Alloc(50))
	}
	options := recorder.Options{Directory: os.Args[2], Off: is("off"), Silent: is("silent"), KeepCrashOutput: is("keep-output")}
	if is("only") {
		options.Heaps = []*allocator.Heap{heap}
	}
	if is("no-snapshot") {
		options.SnapshotBytes = -1
	}
	if is("small-snapshot") {
		options.SnapshotBytes = 1000
	}
	if is("keep-2") {
		options.Keep = 2
	}
	r, err := recorder.Start(options)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(9)
	}
	if _, err := recorder.Start(options); err == nil && !options.Off {
		fmt.Println("error: a second recorder was started")
		os.Exit(9)
	}
	if is("late") {
		late := newHeap("late", allocator.BackingMemfd)
		overflow(must(late.Alloc(20)))
	}
	if is("closed") {
		closed := newHeap("closed", allocator.BackingMemfd)
		overflow(must(closed.Alloc(20)))
		_ = closed.Close()
	}
	if is("anonymous") {
		newHeap("anonymous", allocator.BackingAnonymous)
	}
	if is("overflow") {
		overflow(kept)
	}
	if is("span") {
		overflow(must(heap.Alloc(100_000)))
	}
	if is("many") {
		for i := range 200 {
			h := newHeap("heap "+strconv.Itoa(i), allocator.BackingMemfd)
			must(h.Alloc(10))
			if i%2 == 0 {
				_ = h.Close()
			}
		}
	}
	if is("busy") {
		busy(heap)
	}
	interrupted := make(chan os.Signal, 1)
	if is("handle") {
		signal.Notify(interrupted, syscall.SIGINT)
	}
	// Those who end well do so at once; the others wait to be told.
	fmt.Println("ready")
	switch {
	case is("wait"):
		_, _ = os.Stdin.Read(make([]byte, 1))
	case is("handle"):
		<-interrupted
	}
	switch {
	case is("panic"):
		panic("boom")
	case is("grow"): // until a cgroup's limit is reached
		for {
			clear(must(heap.Alloc(1000)))
		}
	case is("grow-go"):
		for kept := [][]byte{}; ; {
			kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
			runtime.KeepAlive(kept)
		}
	case is("long"):
		debug.SetTraceback("all")
		for range 30_000 {
			go func() { select {} }()
		}
		panic("long")
	case is("violation"):
		b := must(heap.Alloc(30))
		overflow(b)
		_ = heap.Free(b)
	case is("nil"):
		*nothing = 1
	case is("guard"):
		b := must(heap.Alloc(10 * 4096))
		p := unsafe.Pointer(unsafe.SliceData(b))
		*(*byte)(unsafe.Add(p, 11*4096+5)) = 1
	case is("fatal"):
		var m sync.Mutex
		m.Unlock()
	case is("map"):
		m := map[int]int{}
		for g := range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i%1000*4+g] = i
				}
			}()
		}
		select {}
	case is("exit"):
		os.Exit(3)
	case is("exec"):
		_ = syscall.Exec("/bin/cat", []string{"cat"}, nil)
	case is("stop"), is("stop-late"):
		before := time.Now()
		if err := r.Stop(); err != nil {
			fmt.Println("error:", err)
		}
		if took := time.Since(before); took > 4*time.Second {
			fmt.Println("error: it had not heard the goodbye and took the program for another one:", took)
		}
		_ = r.Stop()
		if is("again") {
			second, err := recorder.Start(options)
			if err != nil {
				fmt.Println("error:", err)
			}
			_ = second
			panic("boom")
		}
		// No child is left, dead or alive.
		_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if !errors.Is(err, syscall.ECHILD) {
			fmt.Println("error: a child is left:", err)
		}
		fmt.Println("stopped")
		if is("stop-late") {
			panic("after the end of the recorder")
		}
	}
}

var nothing *byte

func newHeap(name string, backing allocator.Backing) *allocator.Heap {
	return must(allocator.New(allocator.Options{Name: name, Backing: backing, ReserveBytes: 64 << 20}))
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(9)
	}
	return v
}

// overflow writes a byte behind a block.
func overflow(b []byte) { *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))) = 0x21 }

// busy starts goroutines that use a heap in every way, for ever.
func busy(h *allocator.Heap) {
	runtime.GOMAXPROCS(4)
	passed := make(chan []byte, 64)
	for g := range 4 {
		r := rand.New(rand.NewSource(int64(g) + int64(os.Getpid())))
		go func() {
			var live [][]byte
			drop := func(i int) {
				b := live[i]
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
				select {
				case passed <- b: // another goroutine frees it
				default:
					_ = h.Free(b)
				}
			}
			for n := 0; ; n++ {
				switch {
				case n%5000 == 4999:
					h.Scavenge()
				case n%700 == 0:
					for len(live) > 10 {
						drop(len(live) - 1)
					}
				case len(live) > 300 || len(live) > 0 && r.Intn(2) == 0:
					drop(r.Intn(len(live)))
				case len(live) > 0 && r.Intn(8) == 0:
					i := r.Intn(len(live))
					if b, err := h.Realloc(live[i], 1+r.Intn(3000)); err == nil {
						live[i] = b
					}
				default:
					size := 1 + r.Intn(200)
					switch r.Intn(40) {
					case 0:
						size = 1 + r.Intn(150<<10)
					case 1:
						size = 1 + r.Intn(30<<10)
					}
					b, err := h.Alloc(size)
					if r.Intn(10) == 0 {
						b, err = h.AllocAligned(size, 64)
					}
					if err == nil {
						clear(b)
						live = append(live, b)
					}
				}
				select {
				case b := <-passed:
					_ = h.Free(b)
				default:
				}
			}
		}()
	}
}
