package glassheapvet

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// failedOn reports whether a call has failed, and so done nothing, where the program goes from one block to the next: the branch
// for an error that is not nil.
func (f *function) failedOn(from, to *ssa.BasicBlock, failure ssa.Value) bool {
	if failure == nil || len(from.Instrs) == 0 {
		return false
	}
	branch, ok := from.Instrs[len(from.Instrs)-1].(*ssa.If)
	if !ok || from.Succs[0] == from.Succs[1] {
		return false
	}
	taken := to == from.Succs[0]
	switch condition := branch.Cond.(type) {
	case *ssa.BinOp:
		x, y := f.actual(condition.X), f.actual(condition.Y)
		if y == failure {
			x, y = y, x
		}
		switch {
		case x != failure:
		case isNil(y):
			return taken == (condition.Op == token.NEQ)
		default: // it is compared with an error of some kind
			return taken == (condition.Op == token.EQL)
		}
	case *ssa.Call: // errors.Is, errors.As, os.IsNotExist, …
		for _, a := range condition.Call.Args {
			if f.actual(a) == failure {
				return taken
			}
		}
	}
	return false
}

// expectedToFail reports whether the program takes it for a mistake when a call succeeds, as tests of mistakes do. Such a call
// frees nothing.
func (f *function) expectedToFail(o *operation) bool {
	failure := o.failure()
	if failure == nil {
		return false
	}
	for _, r := range *failure.Referrers() {
		switch r := r.(type) {
		case *ssa.MakeInterface:
			for _, r := range *r.Referrers() {
				if wantsError(r) {
					return true
				}
			}
		case *ssa.BinOp:
			if complainsOfSuccess(r) {
				return true
			}
		case *ssa.Call:
			if wantsError(r) {
				return true
			}
			for n, a := range r.Call.Args {
				if p := parameter(&r.Call, n); a == failure && p != nil && wantsErrorOf(p, map[ssa.Value]bool{}) {
					return true
				}
			}
		}
	}
	return false
}

// wantsError is true of testify's calls with an error, except those that want none.
func wantsError(i ssa.Instruction) bool {
	call, ok := i.(ssa.CallInstruction)
	if !ok {
		return false
	}
	callee := calleeOf(call.Common())
	if callee == nil || callee.Pkg() == nil {
		return false
	}
	path := callee.Pkg().Path()
	if !strings.HasSuffix(path, "testify/require") && !strings.HasSuffix(path, "testify/assert") {
		return false
	}
	switch strings.TrimSuffix(callee.Name(), "f") {
	case "NoError", "Nil":
		return false
	}
	return true
}

// complainsOfSuccess is true of err == nil, or err != nil, where what follows the absence of an error panics or fails a test.
func complainsOfSuccess(comparison *ssa.BinOp) bool {
	if !isNil(comparison.X) && !isNil(comparison.Y) {
		return false
	}
	for _, r := range *comparison.Referrers() {
		branch, ok := r.(*ssa.If)
		if !ok {
			continue
		}
		succeeded := branch.Block().Succs[0]
		if comparison.Op == token.NEQ {
			succeeded = branch.Block().Succs[1]
		}
		if len(succeeded.Preds) == 1 && complains(succeeded) {
			return true
		}
	}
	return false
}

// complains is true of a block that panics or fails a test.
func complains(b *ssa.BasicBlock) bool {
	for _, i := range b.Instrs {
		switch i := i.(type) {
		case *ssa.Panic:
			return true
		case *ssa.Call:
			name := i.Call.Value.Name()
			if i.Call.IsInvoke() {
				name = i.Call.Method.Name()
			}
			switch name {
			case "Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow":
				return true
			}
		}
	}
	return false
}

// returnsFailure reports whether a return surely, or perhaps, says by its error that its other results are nothing. The error of
// an operation of the allocator does not count: h.Free(b) in return b, h.Free(b) has freed b unless it failed.
func (f *function) returnsFailure(r *ssa.Return) bool {
	if len(r.Results) == 0 {
		return false
	}
	failure := f.actual(r.Results[len(r.Results)-1])
	if !types.Identical(failure.Type(), types.Universe.Lookup("error").Type()) || isNil(failure) {
		return false
	}
	switch v := failure.(type) {
	case *ssa.Call:
		if f.operations[v] != nil {
			return false
		}
		callee := calleeOf(&v.Call)
		if callee == nil || callee.Pkg() == nil {
			return true
		}
		if path := callee.Pkg().Path(); path == "errors" || path == "fmt" {
			return true
		}
	case *ssa.Extract:
	default:
		return true // made here, a variable of the package, one of several
	}
	for b := r.Block(); b.Idom() != nil; b = b.Idom() {
		if len(b.Preds) == 1 && f.failedOn(b.Preds[0], b, failure) {
			return true
		}
	}
	return false
}
