package cases

import (
	"runtime"
	"unsafe"
)

// kept is a block that the program still knows.
var kept [][]byte

func init() {
	register(map[string]scenario{
		"leak_lost_pointer": func(s *stage) {
			kept = append(kept, s.alloc(64))
			done := make(chan struct{})
			for range 100 {
				go func() { loses(s); done <- struct{}{} }()
				<-done
			}
			forget()
			// Somebody's stack may still hold an address or two: the search is conservative.
			s.leaksFind(lost{Heads: 80})
			runtime.KeepAlive(kept)
		},
		"leak_in_chain": func(s *stage) {
			kept = append(kept, s.alloc(64))
			done := make(chan struct{})
			for range 20 {
				go func() { losesChain(s, 50); done <- struct{}{} }()
				<-done
			}
			forget()
			s.leaksFind(lost{Heads: 12, Below: 49})
			runtime.KeepAlive(kept)
		},
	})
}

//go:noinline
func loses(s *stage) {
	b := s.alloc(64)
	b[0] = 1
}

// losesChain makes a list of blocks, each with the address of the next, and forgets it.
//
//go:noinline
func losesChain(s *stage, length int) {
	next := uintptr(0)
	for range length {
		b := s.alloc(64)
		clear(b)
		*(*uintptr)(unsafe.Pointer(unsafe.SliceData(b))) = next
		next = uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	}
}

// forget writes over the stacks that were used.
func forget() {
	done := make(chan struct{})
	for range 64 {
		go func() { scrub(64); done <- struct{}{} }()
	}
	for range 64 {
		<-done
	}
	scrub(64)
	runtime.GC()
	runtime.GC()
}

//go:noinline
func scrub(depth int) byte {
	var room [512]byte
	for i := range room {
		room[i] = byte(depth)
	}
	if depth == 0 {
		return room[len(room)-1]
	}
	return scrub(depth-1) + room[depth]
}
