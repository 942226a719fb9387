package glassheapvet

import (
	"go/constant"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

const allocatorPath = "github.com/glassheap/glassheap/allocator"

// effect is what a call of the allocator's API does to blocks.
type effect int

const (
	noEffect effect = iota
	allocates
	frees
	reallocates
)

// operation is a call of the allocator's API that hands out a block or takes one.
type operation struct {
	effect effect
	name   string // of the function: Free, Make, …
	call   ssa.CallInstruction
	block  ssa.Value // what is given to Free or Realloc
	size   ssa.Value // how many bytes or elements are asked for; nil when that is not one argument
}

var methods = map[string]effect{
	"Alloc": allocates, "AllocZeroed": allocates, "AllocAligned": allocates, "Malloc": allocates, "Calloc": allocates,
	"Free": frees, "FreePointer": frees, "Realloc": reallocates, "ReallocPointer": reallocates,
}

// operationOf tells what an instruction does to blocks; nil: nothing, as far as the allocator's API is concerned. Deferred calls
// and those of a goroutine are told too: see operation.now.
func operationOf(i ssa.Instruction) *operation {
	call, ok := i.(ssa.CallInstruction)
	if !ok {
		return nil
	}
	common := call.Common()
	f := calleeOf(common)
	if f == nil || !isAllocator(f.Pkg()) {
		return nil
	}
	o := &operation{name: f.Name(), call: call}
	signature := f.Signature()
	switch {
	case signature.Recv() != nil:
		if !isHeap(signature.Recv().Type()) {
			return nil
		}
		o.effect = methods[f.Name()]
	case signature.TypeParams().Len() == 1 && signature.Params().Len() > 0 && isHeap(signature.Params().At(0).Type()):
		switch {
		case returnsMemory(signature):
			o.effect = allocates
		case f.Name() == "FreeSlice":
			o.effect = frees
		}
	}
	switch {
	case o.effect == noEffect:
		return nil
	case o.effect == allocates:
		if len(common.Args) > 1 && f.Name() != "Calloc" {
			o.size = common.Args[1]
		}
	case len(common.Args) < 2:
		return nil
	default:
		o.block = common.Args[1]
		if o.effect == reallocates {
			o.size = common.Args[2]
		}
	}
	if o.block != nil && sizeOfElement(o.block.Type()) == 0 {
		return nil // a FreeSlice of elements without a size does nothing
	}
	return o
}

// isAllocator reports whether a package is the allocator, or the variant of it that is built with its tests.
func isAllocator(p *types.Package) bool {
	if p == nil {
		return false
	}
	path, _, _ := strings.Cut(p.Path(), " [")
	return path == allocatorPath
}

func isHeap(t types.Type) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Heap" && isAllocator(named.Obj().Pkg())
}

// returnsMemory is true of Make, and of every generic function whose first result is a []T or *T of its type parameter T.
func returnsMemory(s *types.Signature) bool {
	if s.Results().Len() == 0 {
		return false
	}
	var element types.Type
	switch t := s.Results().At(0).Type().(type) {
	case *types.Slice:
		element = t.Elem()
	case *types.Pointer:
		element = t.Elem()
	default:
		return false
	}
	return types.Identical(element, s.TypeParams().At(0))
}

// calleeOf is the declared function that is called, of an instance the generic one; nil when it isn't known.
func calleeOf(c *ssa.CallCommon) *types.Func {
	f := c.StaticCallee()
	if f == nil {
		return nil
	}
	if f.Origin() != nil {
		f = f.Origin()
	}
	declared, _ := f.Object().(*types.Func)
	return declared
}

// builtinOf is the name of the built-in function that is called; "": none.
func builtinOf(c *ssa.CallCommon) string {
	if b, ok := c.Value.(*ssa.Builtin); ok {
		return b.Name()
	}
	return ""
}

// now reports whether the call is made where it is written, rather than deferred or left to a goroutine.
func (o *operation) now() bool {
	_, ok := o.call.(*ssa.Call)
	return ok
}

// failure is the error that the call returns; nil when the program ignores it.
func (o *operation) failure() ssa.Value {
	v := o.call.Value()
	switch {
	case v == nil || v.Referrers() == nil || len(*v.Referrers()) == 0:
		return nil
	case o.effect == frees:
		return v
	}
	return result(v, 1)
}

// result is the nth result of a call; nil when the program ignores it.
func result(tuple ssa.Value, n int) ssa.Value {
	for _, r := range *tuple.Referrers() {
		if e, ok := r.(*ssa.Extract); ok && e.Index == n {
			return e
		}
	}
	return nil
}

// allocationOf is the call whose block v is, all of it as it was handed out; nil: v is none that is known.
func allocationOf(v ssa.Value) *operation {
	e, ok := v.(*ssa.Extract)
	if !ok || e.Index != 0 {
		return nil
	}
	call, ok := e.Tuple.(*ssa.Call)
	if !ok {
		return nil
	}
	o := operationOf(call)
	if o == nil || o.effect != allocates && o.effect != reallocates {
		return nil
	}
	return o
}

// integer is the value of an integer constant.
func integer(v ssa.Value) (int64, bool) {
	c, ok := v.(*ssa.Const)
	if !ok || c.Value == nil || c.Value.Kind() != constant.Int {
		return 0, false
	}
	return constant.Int64Val(c.Value)
}

func isNil(v ssa.Value) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.IsNil()
}

// sizes are those of the platforms that glassheap knows: 64 bits.
var sizes = types.SizesFor("gc", "amd64")

// sizeOfElement is the size of what a slice, a pointer to an array or a pointer is made of; 1 when a type parameter leaves it open.
func sizeOfElement(t types.Type) int64 {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		t = u.Elem()
	case *types.Pointer:
		t = u.Elem()
		if a, ok := t.Underlying().(*types.Array); ok {
			t = a.Elem()
		}
	default:
		return 1
	}
	if dependsOnTypeParameter(t) {
		return 1
	}
	return sizes.Sizeof(t)
}

func dependsOnTypeParameter(t types.Type) bool {
	switch u := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Named:
		for a := range u.TypeArgs().Types() {
			if dependsOnTypeParameter(a) {
				return true
			}
		}
		return false
	case *types.Array:
		return dependsOnTypeParameter(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if dependsOnTypeParameter(f.Type()) {
				return true
			}
		}
	}
	return false
}
