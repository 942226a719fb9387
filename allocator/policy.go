package allocator

import (
	"fmt"
	"os"
	"sync"
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
	h.complete(v)
	OnViolation(v)
	switch {
	case h.options.OnViolation != nil:
		h.options.OnViolation(v)
	case h.options.Policy == PolicyPanic:
		panic(v)
	default:
		if write, left := h.reports.allow(time.Now()); write {
			if left > 0 {
				fmt.Fprintf(os.Stderr, "glassheap: %d violations in heap %q were not reported: there were too many at a time\n", left, h.options.Name)
			}
			fmt.Fprintln(os.Stderr, v.Error())
		}
	}
	return v
}

const (
	reportsAtOnce = 10
	reportEvery   = time.Second
)

// reportLimit bounds how many reports are written: a bucket of reportsAtOnce that gets one back every reportEvery.
type reportLimit struct {
	lock   sync.Mutex
	spent  int       // of reportsAtOnce
	filled time.Time // when one was given back last
	left   int       // violations since the last report that was written
}

// allow reports whether a report may be written now, and how many were not since the last one.
func (l *reportLimit) allow(now time.Time) (write bool, left int) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if back := int(now.Sub(l.filled) / reportEvery); back > 0 {
		l.spent, l.filled = max(0, l.spent-back), now
	}
	if l.spent == reportsAtOnce {
		l.left++
		return false, 0
	}
	l.spent++
	left, l.left = l.left, 0
	return true, left
}
