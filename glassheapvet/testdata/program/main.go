// Command program makes one mistake of each kind.
package main

import (
	"fmt"
	"log"

	"github.com/glassheap/glassheap/allocator"
)

type user struct {
	id   uint64
	name string
}

func main() {
	h, err := allocator.New(allocator.Options{Name: "sessions"})
	if err != nil {
		log.Fatal(err)
	}
	b, err := h.Alloc(50)
	if err != nil {
		log.Fatal(err)
	}
	copy(b, "hello")
	if err := h.Free(b); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", b)
	parse(h)
	grow(h)
	users, err := allocator.Make[user](h, 100)
	fmt.Println(len(users), err)
	fmt.Println(h.Close())
}

func parse(h *allocator.Heap) {
	line, err := h.Alloc(200)
	if err != nil {
		return
	}
	defer h.Free(line)
	line = line[1:]
	if line[0] == 0 {
		h.Free(line)
	}
}

func grow(h *allocator.Heap) {
	b, err := h.Alloc(100)
	if err != nil {
		return
	}
	h.Realloc(b, 1000)
}
