// Command bintable keeps notes off Go's heap and throws them away again. It does nothing wrong: the mistake is planted in the
// the allocator below it (go run ./tests/tutorial/plant bintable).
package main

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

func main() {
	heap, err := allocator.New(allocator.Options{Name: "notes", ReserveBytes: 64 << 20})
	check(err)
	var notes [][]byte
	for i := range 4 {
		note, err := heap.Alloc(30)
		check(err)
		copy(note, fmt.Sprintf("note %d", i))
		notes = append(notes, note)
	}
	wait()
	for _, note := range notes {
		check(heap.Free(note))
	}
}

// wait lets the program be looked at until its input ends.
//
//go:noinline
func wait() { onlookers.Await() }

func check(err error) {
	if err != nil {
		panic(err)
	}
}
