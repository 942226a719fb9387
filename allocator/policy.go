package allocator

import (
	"fmt"
	"os"
)

// Policy is what a heap does when it finds a violation.
type Policy int

const (
	// PolicyPanic panics with the *Violation.
	PolicyPanic Policy = iota
	// PolicyReport writes the violation to standard error and goes on: Free and Realloc return it as their error, Alloc
	// takes another block. A damaged block is withdrawn: it is never handed out again.
	PolicyReport
)

// report runs the policy. No lock is held and the goroutine is not pinned.
func (h *Heap) report(v *Violation) error {
	v.Heap = h.options.Name
	h.remember(v)
	OnViolation(v)
	switch {
	case h.options.OnViolation != nil:
		h.options.OnViolation(v)
	case h.options.Policy == PolicyPanic:
		panic(v)
	default:
		fmt.Fprintln(os.Stderr, v.Error())
	}
	return v
}
