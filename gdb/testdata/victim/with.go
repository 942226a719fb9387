package main

import (
	"os"
	"strconv"

	"github.com/glassheap/glassheap/allocator"
)

// damaged names what is damaged now: the tests read it in GDB.
var damaged string

// done is how many damages there were; the environment says which share of them the test asks about.
var done int

func with[T any](h *allocator.Heap, what string, field *T, wrong T) {
	each, _ := strconv.Atoi(os.Getenv("GLASSHEAP_TEST_EACH"))
	if done++; (done-1)%max(each, 1) != 0 {
		return
	}
	right := *field
	*field = wrong
	damaged = what
	ready(h, []byte(what))
	*field = right
}
