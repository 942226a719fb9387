package glassheapvet

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// parameter is what a function of the same package calls the nth argument of a call; nil when its body is not known.
func parameter(call *ssa.CallCommon, n int) *ssa.Parameter {
	callee := call.StaticCallee()
	if callee != nil && callee.Origin() != nil {
		callee = callee.Origin()
	}
	if callee == nil || callee.Blocks == nil || n >= len(callee.Params) {
		return nil
	}
	return callee.Params[n]
}

// onlyAddress reports whether a function takes a parameter for its address alone: it compares or prints it, and neither reads nor
// writes nor keeps what is there.
func onlyAddress(v ssa.Value, seen map[ssa.Value]bool) bool {
	if seen[v] {
		return true
	}
	seen[v] = true
	for _, r := range *v.Referrers() {
		switch r := r.(type) {
		case *ssa.DebugRef, *ssa.BinOp:
			continue
		case *ssa.Return: // an unsafe.Pointer that a function makes of a slice is wanted as an address
			if _, basic := v.Type().Underlying().(*types.Basic); !basic || !isAddress(v.Type()) {
				return false
			}
			continue
		case *ssa.Convert:
			if pointsToMemory(r.X.Type()) && !isAddress(r.X.Type()) {
				return false // string(b)
			}
			if !isAddress(r.Type()) {
				continue // uintptr(p)
			}
		case *ssa.MakeInterface:
			if contentsMatter(r.X.Type()) {
				return false
			}
			continue
		case *ssa.Slice, *ssa.IndexAddr, *ssa.FieldAddr, *ssa.ChangeType, *ssa.SliceToArrayPointer, *ssa.Phi:
		case *ssa.UnOp:
			if r.Op == token.MUL {
				return false
			}
		case *ssa.Call:
			switch builtinOf(&r.Call) {
			case "len", "cap":
				continue
			case "Slice", "SliceData", "Add", "String", "StringData":
			default:
				for n, a := range r.Call.Args {
					if a == v {
						if p := parameter(&r.Call, n); p == nil || !onlyAddress(p, seen) {
							return false
						}
					}
				}
				continue
			}
		default:
			return false
		}
		if made, ok := r.(ssa.Value); ok && !onlyAddress(made, seen) {
			return false
		}
	}
	return true
}

// wantsErrorOf reports whether a function looks what kind of error it was given, or has testify do so.
func wantsErrorOf(failure ssa.Value, seen map[ssa.Value]bool) bool {
	if seen[failure] || failure.Referrers() == nil {
		return false
	}
	seen[failure] = true
	for _, r := range *failure.Referrers() {
		switch r := r.(type) {
		case *ssa.TypeAssert:
			return true
		case *ssa.BinOp:
			if complainsOfSuccess(r) {
				return true
			}
		case *ssa.Phi:
			if wantsErrorOf(r, seen) {
				return true
			}
		case *ssa.ChangeInterface:
			if wantsErrorOf(r, seen) {
				return true
			}
		case *ssa.Call:
			if wantsError(r) || isErrorsAs(&r.Call) {
				return true
			}
			for n, a := range r.Call.Args {
				if a == failure {
					if p := parameter(&r.Call, n); p != nil && wantsErrorOf(p, seen) {
						return true
					}
				}
			}
		}
	}
	return false
}

func isErrorsAs(c *ssa.CallCommon) bool {
	callee := calleeOf(c)
	return callee != nil && callee.Pkg() != nil && callee.Pkg().Path() == "errors" && (callee.Name() == "As" || callee.Name() == "AsType")
}
