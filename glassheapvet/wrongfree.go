package glassheapvet

import (
	"fmt"
	"go/constant"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"
)

// WrongFree finds what Free or Realloc is sure to refuse: an address behind the block's start, a capacity that is not the
// block's size, and memory of Go, as append makes it of a slice that is full.
var WrongFree = &analysis.Analyzer{
	Name:     "wrongfree",
	Doc:      "find arguments that glassheap's Free or Realloc refuses: b[k:], b[:n:m], memory of Go, what append moved",
	URL:      documentation,
	Requires: []*analysis.Analyzer{functions},
	Run: func(pass *analysis.Pass) (any, error) {
		report, tell := reporter(pass)
		defer tell()
		for _, f := range functionsOf(pass) {
			for _, b := range f.Blocks {
				for _, i := range b.Instrs {
					o := f.operations[i]
					if o == nil || o.block == nil || f.expectedToFail(o) {
						continue
					}
					if message := f.refused(o); message != "" {
						at := o.call.Common().Pos()
						if call := f.expression(o); call != nil {
							at = call.Pos()
						}
						report(at, f.written(o)+": "+message)
					}
				}
			}
		}
		return nil, nil
	},
}

// refused says why an operation refuses its block; "": nothing is certain.
func (f *function) refused(o *operation) string {
	switch foreign := f.goMemory(o.block, map[ssa.Value]bool{}); foreign {
	case moved:
		return "append moved the slice to Go's heap, since it was full: Realloc it, write to it, and free that"
	case made:
		return "this is memory of Go: free only what the heap returned"
	}
	origin, d := f.origin(o.block)
	allocation := allocationOf(origin)
	if d.notZero() && (allocation != nil || f.onlySliced(o.block)) {
		return "this is not where the block starts: free all of it, as it was returned"
	}
	if capacity, ok := f.cappedTo(o.block); ok && allocation != nil && d.zero() && allocation.size != nil {
		if size, ok := integer(allocation.size); ok && size != capacity && size > 0 {
			return fmt.Sprintf("the capacity tells the size, and it is %d here, where %s got %d: free the slice with its whole capacity", capacity, allocation.name, size)
		}
	}
	return ""
}

// onlySliced reports whether v is a slice of another slice of which nothing is known: that can't begin before the block either.
func (f *function) onlySliced(v ssa.Value) bool {
	for range maximalSteps {
		from, _, ok := f.step(v)
		if !ok {
			_, isSlice := v.Type().Underlying().(*types.Slice)
			return isSlice
		}
		switch w := v.(type) {
		case *ssa.Slice:
			if _, isSlice := w.X.Type().Underlying().(*types.Slice); !isSlice {
				return false
			}
		case *ssa.UnOp, *ssa.Phi, *ssa.ChangeType:
		default:
			return false
		}
		v = from
	}
	return false
}

// cappedTo is the capacity that b[i:j:k] gave v last, in elements, if all of it is known.
func (f *function) cappedTo(v ssa.Value) (int64, bool) {
	for range maximalSteps {
		if s, ok := v.(*ssa.Slice); ok && s.Max != nil {
			if s.Low != nil {
				if low, ok := integer(s.Low); !ok || low != 0 {
					return 0, false
				}
			}
			return integer(s.Max)
		}
		switch v.(type) {
		case *ssa.Slice, *ssa.UnOp, *ssa.ChangeType:
		default:
			return 0, false
		}
		from, _, ok := f.step(v)
		if !ok {
			break
		}
		v = from
	}
	return 0, false
}

// foreign is how memory came to be Go's.
type foreign int

const (
	unknown foreign = iota
	nothing         // nil, or the loop that is being looked at: whatever else it is
	made
	moved
)

// goMemory reports whether a value is surely an address of Go's memory, or else nil.
func (f *function) goMemory(v ssa.Value, seen map[ssa.Value]bool) foreign {
	if seen[v] {
		return nothing
	}
	seen[v] = true
	defer delete(seen, v)
	switch w := v.(type) {
	case *ssa.Const:
		if w.IsNil() {
			return nothing
		}
	case *ssa.MakeSlice:
		return made // a constant capacity makes an Alloc
	case *ssa.Alloc:
		// An empty literal has no capacity, and freeing it does nothing.
		if sizeOfVariable(w) > 0 {
			return made
		}
	case *ssa.Convert:
		if b, ok := w.X.Type().Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
			return made
		}
	case *ssa.Call:
		if builtinOf(&w.Call) == "append" {
			return f.appended(w, seen)
		}
	case *ssa.Phi:
		all := nothing
		for _, e := range w.Edges {
			switch g := f.goMemory(e, seen); g {
			case unknown:
				return unknown
			default:
				all = max(all, g)
			}
		}
		return all
	}
	if from, _, ok := f.step(v); ok {
		return f.goMemory(from, seen)
	}
	return unknown
}

// appended is what append returns: of Go, if what it appends to is full and it appends anything.
func (f *function) appended(call *ssa.Call, seen map[ssa.Value]bool) foreign {
	if !appendsSomething(call.Call.Args[1]) {
		return unknown
	}
	if f.full(call.Call.Args[0]) {
		return moved
	}
	switch g := f.goMemory(call.Call.Args[0], seen); g {
	case moved:
		return moved
	case made:
		return made
	case nothing:
		if isNil(call.Call.Args[0]) {
			return made
		}
		return nothing
	}
	if phi, ok := call.Call.Args[0].(*ssa.Phi); ok && !seen[phi] {
		seen[phi] = true
		defer delete(seen, phi)
		for _, e := range phi.Edges {
			if !f.full(e) && f.goMemory(e, seen) == unknown {
				return unknown
			}
		}
		return moved
	}
	return unknown
}

// full reports whether a slice is all of a block as it was allocated: as long as its capacity.
func (f *function) full(v ssa.Value) bool {
	o := allocationOf(f.actual(v))
	return o != nil
}

// appendsSomething reports whether the second argument of append is surely not empty.
func appendsSomething(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Const:
		return v.Value != nil && v.Value.Kind() == constant.String && constant.StringVal(v.Value) != ""
	case *ssa.Slice: // of the array that the arguments are put into
		cell, ok := v.X.(*ssa.Alloc)
		return ok && cell.Comment == "varargs" && v.Low == nil && v.High == nil && sizeOfVariable(cell) > 0
	}
	return false
}

func sizeOfVariable(v *ssa.Alloc) int64 {
	t := v.Type().Underlying().(*types.Pointer).Elem()
	if dependsOnTypeParameter(t) {
		return 1
	}
	return sizes.Sizeof(t)
}
