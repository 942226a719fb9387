package inspect

import (
	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect/symbols"
)

// framesOf names the calls of a stack, without those of the allocator and of the runtime around it; nil: there are no names.
func (p *Program) framesOf(addresses []uint64) []Frame {
	table, err := p.table()
	if err != nil {
		return nil
	}
	return userFrames(table.Stack(addresses))
}

func userFrames(stack []symbols.Frame) []Frame {
	frames := make([]Frame, 0, len(stack))
	for _, f := range stack {
		frames = append(frames, Frame{Function: f.Function, File: f.File, Line: f.Line, Inlined: f.Inlined, PC: f.PC})
	}
	return report.UsersFrames(frames)
}

// whole reports whether a stack was kept up to its outermost call.
func (p *Program) whole(addresses []uint64) bool {
	table, err := p.table()
	if err != nil || len(addresses) == 0 {
		return false
	}
	last := table.Frames(addresses[len(addresses)-1])
	return len(last) > 0 && report.Outermost(last[len(last)-1].Function)
}
