// Command arithmetic fills a slab with notes and reads them back. It does nothing wrong: the mistake is planted in the
// allocator below it (go run ./tests/tutorial/plant arithmetic).
package main

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

func main() {
	heap, err := allocator.New(allocator.Options{Name: "notes", Geometry: allocator.GeometryNotes, ReserveBytes: 64 << 20})
	check(err)
	var notes [][]byte
	for i := range 300 {
		note, err := heap.Alloc(30)
		check(err)
		copy(note, text(i))
		notes = append(notes, note)
	}
	for i, note := range notes {
		if string(note) != text(i) {
			fmt.Printf("note %d reads %q\n", i, note)
		}
	}
	wait()
	for _, note := range notes {
		check(heap.Free(note))
	}
}

// text is 30 bytes long.
func text(i int) string { return fmt.Sprintf("this is the text of note %5d", i) }

// wait lets the program be looked at until its input ends.
//
//go:noinline
func wait() { onlookers.Await() }

func check(err error) {
	if err != nil {
		panic(err)
	}
}
