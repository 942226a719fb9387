// Command correct uses the allocator as it should be used.
package main

import (
	"fmt"
	"log"

	"github.com/glassheap/glassheap/allocator"
)

func main() {
	h, err := allocator.New(allocator.Options{Name: "sessions"})
	if err != nil {
		log.Fatal(err)
	}
	b, err := h.Alloc(50)
	if err != nil {
		log.Fatal(err)
	}
	for n := range 10 {
		if b, err = h.Realloc(b, 50*(n+1)); err != nil {
			log.Fatal(err)
		}
		b[len(b)-1] = byte(n)
	}
	fmt.Println(len(b), b[49])
	if err := h.Free(b); err != nil {
		log.Fatal(err)
	}
	if err := h.Close(); err != nil {
		log.Fatal(err)
	}
}
