package inspect

import (
	"strings"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// Frame is one call of a recorded stack.
type Frame struct {
	Function string `json:"function"` // with its package's path
	File     string `json:"file"`
	Line     int    `json:"line"`
	Inlined  bool   `json:"inlined,omitempty"` // into the frame that follows

	PC uint64 `json:"-"` // an address in the call's instruction
}

// allocatorPackage is left out where it begins a stack: users ask who called it.
const allocatorPackage = "github.com/glassheap/glassheap/allocator."

// framesOf names the calls of a stack, without those of the allocator and of the runtime around it; nil: there are no names.
func (p *Program) framesOf(addresses []uint64) []Frame {
	table, err := p.table()
	if err != nil {
		return nil
	}
	return userFrames(table.Stack(addresses))
}

func userFrames(stack []symbols.Frame) (user []Frame) {
	for _, f := range stack {
		switch {
		case len(user) == 0 && strings.HasPrefix(f.Function, allocatorPackage):
		case outermost(f.Function) || f.Function == "":
		default:
			user = append(user, Frame{Function: f.Function, File: f.File, Line: f.Line, Inlined: f.Inlined, PC: f.PC})
		}
	}
	return user
}

// outermost reports whether a function is the runtime's around every stack.
func outermost(function string) bool {
	return function == "runtime.goexit" || function == "runtime.main"
}

// whole reports whether a stack was kept up to its outermost call.
func (p *Program) whole(addresses []uint64) bool {
	table, err := p.table()
	if err != nil || len(addresses) == 0 {
		return false
	}
	last := table.Frames(addresses[len(addresses)-1])
	return len(last) > 0 && outermost(last[len(last)-1].Function)
}
