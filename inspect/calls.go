package inspect

import (
	"fmt"
	"path"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// calls is a recorded stack as lists show it. Where nobody knows the functions, the stack is its addresses and the rest is empty.
type calls struct {
	site  string // innermost function that is not the allocator's, with its package's path
	line  string // where it is: file:line
	stack string // all functions, the innermost first
}

// callsOf is what lists show of an operation.
func callsOf(o *Operation) (c calls) {
	if o == nil {
		return c
	}
	var b strings.Builder
	for i, f := range o.Frames {
		if i == 0 {
			c.site, c.line = f.Function, fmt.Sprintf("%s:%d", path.Base(f.File), f.Line)
		} else {
			b.WriteString(" < ")
		}
		b.WriteString(f.Function)
	}
	if len(o.Frames) == 0 {
		for i, a := range o.Addresses {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(a.String())
		}
	}
	c.stack = b.String()
	return c
}

// stackCalls are the stacks of a heap as lists show them, each made once.
type stackCalls struct {
	heap *Heap
	of   map[layout.StackRef]calls
}

// at is a stack by its name in the heap's table.
func (s *stackCalls) at(ref layout.StackRef) calls {
	c, known := s.of[ref]
	if !known && s.heap.stored(ref) {
		c = callsOf(s.heap.operation(0, 0, ref))
		s.of[ref] = c
	}
	return c
}

// callColumns are the columns that need the program's functions.
var callColumns = []string{"site", "line", "stack", "freed_by"}

// named is the error for a condition about functions that can't be known.
func (h *Heap) named(q interface{ Conditioned(...string) bool }) error {
	if q == nil || h.stacks == nil || !q.Conditioned(callColumns...) {
		return nil
	}
	if _, err := h.program.table(); err != nil {
		return &NoFunctionsError{Err: err, Advice: h.program.advised()}
	}
	return nil
}
