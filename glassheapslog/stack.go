package glassheapslog

import (
	"runtime"
	"slices"

	"github.com/glassheap/glassheap/allocator/report"
)

// mostFrames is how many calls of the goroutine that met a violation are looked at. The allocator's own are a few of them.
const mostFrames = 64

// reports is the allocator's function that calls Options.OnViolation.
const reports = "github.com/glassheap/glassheap/allocator.(*Heap).report"

// stack is the calls that met a violation.
type stack struct {
	frames []report.Frame
	pc     uintptr // of the innermost, as runtime.Callers tells it; 0: not known
}

// users is the user's part of a stack: without the allocator's calls, and without what came between them and OnViolation.
func users(pcs []uintptr) (s stack) {
	var all []report.Frame
	frames := runtime.CallersFrames(pcs)
	for more := len(pcs) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		all = append(all, report.Frame{Function: f.Function, File: f.File, Line: f.Line, Inlined: f.Func == nil, PC: uint64(f.PC)})
	}
	if i := slices.IndexFunc(all, func(f report.Frame) bool { return f.Function == reports }); i >= 0 {
		all = all[i+1:]
	}
	s.frames = report.UsersFrames(all)
	if len(s.frames) > 0 {
		s.pc = uintptr(s.frames[0].PC) + 1 // a frame's lies before the return address
	}
	return s
}
