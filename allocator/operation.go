package allocator

import (
	"runtime"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// Operation is who did something to a block, as ModeAudit recorded it.
type Operation struct {
	Goroutine uint64    // as a traceback prints it; 0: not known
	Sequence  uint64    // among the heap's audited operations; between goroutines on different Ps only roughly in order
	Stack     []uintptr // return addresses, the innermost first; empty: not known
}

// Frames is the stack with its inlined calls, without the frames of the allocator and of the runtime around it.
func (o *Operation) Frames() []report.Frame {
	var frames []report.Frame
	for _, f := range callFrames(o.Stack) {
		frames = append(frames, report.Frame{Function: f.Function, File: f.File, Line: f.Line, Inlined: f.Func == nil, PC: uint64(f.PC)})
	}
	return report.UsersFrames(frames)
}

// callFrames names the calls of a stack.
func callFrames(stack []uintptr) (named []runtime.Frame) {
	if len(stack) == 0 {
		return nil
	}
	frames := runtime.CallersFrames(stack)
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		named = append(named, f)
	}
	return named
}

// told is the operation as reports show it.
func (o *Operation) told() *report.Operation {
	if o == nil {
		return nil
	}
	told := &report.Operation{Goroutine: o.Goroutine, Sequence: o.Sequence, Frames: o.Frames()}
	for _, a := range o.Stack {
		told.Addresses = append(told.Addresses, report.Address(a))
	}
	return told
}

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
