package main

import (
	"bufio"
	"fmt"
	"io"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// demoVictim is the program that the demo looks into: it keeps names in a heap, does what the lines of in say, answers each
// with a line, and ends with in.
func demoVictim(in io.Reader, out io.Writer) error {
	heap, err := allocator.New(allocator.Options{Name: "sessions", Policy: allocator.PolicyReport})
	if err != nil {
		return err
	}
	defer heap.Close()
	var names [][]byte
	for lines := bufio.NewScanner(in); lines.Scan(); {
		switch lines.Text() {
		case "fill":
			for i := range 300 {
				name := fmt.Sprintf("session %03d of user %s", i, demoUsers[i%len(demoUsers)])
				block, err := heap.Alloc(len(name))
				if err != nil {
					return err
				}
				copy(block, name)
				names = append(names, block)
			}
			for i := 0; i < len(names); i += 3 {
				if err := heap.Free(names[i]); err != nil {
					return err
				}
				names[i] = nil
			}
		case "overflow":
			// What C's strcpy does: the name, and a 0 behind it. Go's bounds checks don't reach here.
			name := names[100]
			*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(name)), len(name))) = 0
		}
		fmt.Fprintln(out, "done")
	}
	return nil
}

var demoUsers = []string{"ada", "brian", "grace", "ken", "margaret", "rob", "barbara"}
