package main

import (
	"bufio"
	"fmt"
	"os"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// work does what each line of standard input says, and answers each with a line.
func work(h *allocator.Heap) {
	var kept [][]byte
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var outcome error
		switch lines.Text() {
		case "allocate":
			for range 20_000 {
				kept = append(kept, session(h))
			}
		case "free twice":
			b := session(h)
			outcome = h.Free(b)
			if outcome == nil {
				outcome = h.Free(b)
			}
		case "overflow":
			b := session(h)
			past(b)
			outcome = h.Free(b)
		case "damage":
			past(session(h))
		case "read after free":
			b := session(h)
			outcome = h.Free(b)
			sum += b[0]
		default:
			outcome = fmt.Errorf("%q is nothing to do", lines.Text())
		}
		v, _ := outcome.(*allocator.Violation)
		switch {
		case v != nil:
			fmt.Println(v.Kind)
		case outcome != nil:
			fmt.Println(outcome)
		default:
			fmt.Println("done")
		}
	}
}

// sum is what was read.
var sum byte

// session allocates a block.
//
//go:noinline
func session(h *allocator.Heap) []byte {
	b, err := h.Alloc(100)
	if err != nil {
		panic(err)
	}
	return b
}

// past writes behind a block.
func past(b []byte) {
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))) = 0
}
