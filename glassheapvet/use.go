package glassheapvet

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// use is what an instruction does with memory.
type use struct {
	memory ssa.Value
	verb   string
	at     token.Pos
}

// usesOf tells of which memory an instruction reads or writes the contents, or passes the address on. What only makes an address of
// another, compares it or stores it does not count, nor what the allocator's own operations do with their blocks.
func (f *function) usesOf(i ssa.Instruction) []use {
	if f.operations[i] != nil {
		return nil
	}
	switch i := i.(type) {
	case *ssa.UnOp:
		if i.Op == token.MUL {
			return []use{{i.X, "read", position(i, i.X)}}
		}
	case *ssa.Store:
		return []use{{i.Addr, "written", position(i, i.Addr)}}
	case *ssa.Convert:
		if pointsToMemory(i.X.Type()) && !isAddress(i.X.Type()) {
			return []use{{i.X, "read", position(i, i.X)}}
		}
	case *ssa.Lookup:
		if pointsToMemory(i.X.Type()) {
			return []use{{i.X, "read", position(i, i.X)}}
		}
	case *ssa.Send:
		if pointsToMemory(i.X.Type()) {
			return []use{{i.X, "sent", i.Pos()}}
		}
	case *ssa.MakeInterface:
		if contentsMatter(i.X.Type()) {
			return []use{{i.X, "passed", consumer(i)}}
		}
	case *ssa.Return:
		var uses []use
		for _, r := range i.Results {
			if pointsToMemory(r.Type()) {
				uses = append(uses, use{r, "returned", i.Pos()})
			}
		}
		return uses
	case ssa.CallInstruction:
		return usesOfCall(i)
	}
	return nil
}

func usesOfCall(i ssa.CallInstruction) []use {
	common := i.Common()
	verb := "passed"
	switch builtinOf(common) {
	case "":
	case "append", "copy", "clear", "print", "println":
		verb = "used"
	default:
		return nil // len, cap, and those of unsafe, which only make addresses
	}
	at := i.Pos()
	if !at.IsValid() {
		at = common.Pos()
	}
	var uses []use
	for n, a := range common.Args {
		if p := parameter(common, n); p != nil && onlyAddress(p, map[ssa.Value]bool{}) {
			continue
		}
		if pointsToMemory(a.Type()) {
			uses = append(uses, use{a, verb, at})
		}
	}
	return uses
}

// contentsMatter is false of what is put into an interface for its address, as tests do that print or compare addresses.
func contentsMatter(t types.Type) bool {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		_, basic := p.Elem().Underlying().(*types.Basic)
		return !basic
	}
	return pointsToMemory(t) && !isAddress(t)
}

// position is where an instruction was written, or else what it works on.
func position(i ssa.Instruction, operand ssa.Value) token.Pos {
	if p := i.Pos(); p.IsValid() {
		return p
	}
	for range maximalSteps {
		if p := operand.Pos(); p.IsValid() {
			return p
		}
		made, ok := operand.(ssa.Instruction)
		if !ok {
			break
		}
		operands := made.Operands(nil)
		if len(operands) == 0 || *operands[0] == nil {
			break
		}
		operand = *operands[0]
	}
	return token.NoPos
}

// consumer is where an interface that was made is passed to a function, also as one of its variable arguments.
func consumer(made ssa.Value) token.Pos {
	if p := made.Pos(); p.IsValid() {
		return p
	}
	for _, r := range *made.Referrers() {
		switch r := r.(type) {
		case ssa.CallInstruction:
			return r.Common().Pos()
		case *ssa.Store:
			if at, ok := r.Addr.(*ssa.IndexAddr); ok && r.Val == made {
				return consumer(at.X)
			}
		case *ssa.Slice:
			return consumer(r)
		}
		if p := r.Pos(); p.IsValid() {
			return p
		}
	}
	return token.NoPos
}
