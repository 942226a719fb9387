package render

import (
	"fmt"

	"github.com/glassheap/glassheap/inspect"
)

// goroutine is the number that a traceback has for the goroutine.
func goroutine(o *inspect.Operation) string {
	if o == nil || o.Goroutine == 0 {
		return "–"
	}
	return fmt.Sprint(o.Goroutine)
}

// lastOperation is what was done to a block last, as far as that is known.
func lastOperation(b *inspect.Block) *inspect.Operation {
	if b.Freed != nil {
		return b.Freed
	}
	return b.Allocated
}

// sequence is the operation's number.
func sequence(o *inspect.Operation) string {
	if o == nil || o.Sequence == 0 {
		return "–"
	}
	return number(o.Sequence)
}
