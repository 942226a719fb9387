package allocator

import (
	"fmt"
	"os"
	"time"
)

// Policy is what a heap does when it finds a violation.
type Policy int

const (
	// PolicyPanic panics with the *Violation.
	PolicyPanic Policy = iota
	// PolicyReport writes the violation to standard error and goes on: Free and Realloc return it as their error, Alloc
	// takes another block. A damaged block is withdrawn: it is never handed out again. Of many violations in a short time
	// some are only counted: ten at once are written, then one a second.
	PolicyReport
)

// report runs the policy. No lock is held and the goroutine is not pinned.
func (h *Heap) report(v *Violation) error {
	v.Heap = h.options.Name
	h.violations.Add(1)
	h.complete(v)
	OnViolation(v)
	switch {
	case h.options.OnViolation != nil:
		h.options.OnViolation(v)
	case h.options.Policy == PolicyPanic:
		panic(v)
	default:
		if write, left := h.reports.Allow(time.Now()); write {
			if left > 0 {
				fmt.Fprintf(os.Stderr, "glassheap: %d violations in heap %q were not reported: there were too many at a time\n", left, h.options.Name)
			}
			fmt.Fprintln(os.Stderr, v.Error())
		}
	}
	return v
}
