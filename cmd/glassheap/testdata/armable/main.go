// Command armable says, for each line that it reads, in which mode its heap is and how many of a hundred blocks are guarded.
package main

import (
	"bufio"
	"fmt"
	"os"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

func main() {
	h, err := allocator.New(allocator.Options{Name: "armable", ReserveBytes: 64 << 20})
	if err != nil {
		panic(err)
	}
	const page = 4096
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		guarded := 0
		var all [][]byte
		for range 100 {
			b, err := h.Alloc(8)
			if err != nil {
				panic(err)
			}
			all = append(all, b)
			// A guarded block of 8 bytes ends or begins with its page. Of a hundred others, few do.
			start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
			if start%page == 0 || (start+8)%page == 0 {
				guarded++
			}
		}
		for _, b := range all {
			if err := h.Free(b); err != nil {
				panic(err)
			}
		}
		fmt.Println(h.Mode(), max(0, guarded-4))
	}
}
