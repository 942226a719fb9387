package allocator

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Operation is who did something to a block, as ModeAudit recorded it.
type Operation struct {
	Goroutine uint64    // as a traceback prints it; 0: not known
	Sequence  uint64    // among the heap's audited operations; between goroutines on different Ps only roughly in order
	Stack     []uintptr // return addresses, the innermost first; empty: not known
}

// Frames is the stack with its inlined calls, without the frames of the allocator and of the runtime around it.
func (o *Operation) Frames() []runtime.Frame { return userFrames(o.Stack) }

// userFrames are the frames of a stack that are the user's.
func userFrames(stack []uintptr) (user []runtime.Frame) {
	if len(stack) == 0 {
		return nil
	}
	frames := runtime.CallersFrames(stack)
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case len(user) == 0 && strings.HasPrefix(f.Function, ownPackage):
		case f.Function == "runtime.goexit" || f.Function == "runtime.main" || f.Function == "":
		default:
			user = append(user, f)
		}
	}
	return user
}

const ownPackage = "github.com/glassheap/glassheap/allocator."

// operation is what the record's half says; nil: nothing.
func (h *Heap) operation(goroutine, sequence uint64, ref layout.StackRef) *Operation {
	if sequence == 0 && ref == 0 {
		return nil
	}
	o := &Operation{Goroutine: goroutine, Sequence: sequence}
	if ref != 0 {
		for _, a := range frames(h.stackAt(ref.Offset())) {
			o.Stack = append(o.Stack, uintptr(a))
		}
	}
	return o
}

// text is the operation as reports show it: a line for each frame, the first behind the title.
func (o *Operation) text(title string) string {
	lines := frameLines(o.Frames())
	if len(lines) == 0 {
		lines = []string{"a caller that is not known"}
	}
	return fmt.Sprintf("\n   %-13s %s", title, strings.Join(lines, "\n                 "))
}

// frameLines show each frame in a line: function, file and line, aligned.
func frameLines(frames []runtime.Frame) (lines []string) {
	width := 0
	for _, f := range frames {
		width = max(width, len(shortName(f.Function)))
	}
	for _, f := range frames {
		file := f.File[strings.LastIndexByte(f.File, '/')+1:]
		lines = append(lines, fmt.Sprintf("%-*s  %s:%d", width, shortName(f.Function), file, f.Line))
	}
	return lines
}

// shortName is a function's name with the last element of its package's path only.
func shortName(function string) string {
	path, _, _ := strings.Cut(function, "[") // type arguments have paths of their own
	return function[strings.LastIndexByte(path, '/')+1:]
}
