package glassheapvet

import (
	"fmt"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"
)

// GoPointer finds Go pointers that are kept off-heap, where the collector does not see them: Make of a type that contains one,
// which is refused when the program runs; the address of a block converted to a pointer to such a type; an address of Go's memory
// stored in a block.
//
// Links from block to block are let be: unsafe.Pointer, and pointers to types that the package converts addresses of blocks to.
var GoPointer = &analysis.Analyzer{
	Name:     "gopointer",
	Doc:      "find Go pointers that are kept in glassheap's memory, where the garbage collector does not see them",
	URL:      documentation,
	Requires: []*analysis.Analyzer{functions},
	Run: func(pass *analysis.Pass) (any, error) {
		report, tell := reporter(pass)
		defer tell()
		all := functionsOf(pass)
		links := linkedTypes(all)
		for _, f := range all {
			for _, b := range f.Blocks {
				for _, i := range b.Instrs {
					switch i := i.(type) {
					case *ssa.Call:
						if t := f.madeType(i); t != nil {
							name := types.TypeString(t, packageName)
							if path := goPointer(t, name, nil); path != "" {
								at := i.Pos()
								if call := f.expression(f.operations[i]); call != nil {
									at = call.Pos()
								}
								report(at, fmt.Sprintf("a %s can't live off-heap: %s is a Go pointer, which the collector would not see", name, path))
							}
						}
					case *ssa.Convert:
						if t := f.convertedTo(i); t != nil {
							name := types.TypeString(t, packageName)
							if path := goPointer(t, name, links); path != "" {
								report(i.Pos(), fmt.Sprintf("off-heap memory as a %s: %s is a Go pointer, which the collector would not see; keep an index or a copy instead", name, path))
							}
						}
					case *ssa.Store:
						if o, _ := f.origin(i.Addr); allocationOf(o) != nil && f.keepsAlive(i.Val) && !f.throughGoPointer(i.Addr, links) {
							report(position(i, i.Addr), "an address of Go's memory is stored off-heap, where the collector does not see it: keep an index or a copy instead")
						}
					}
				}
			}
		}
		return nil, nil
	},
}

// madeType is the T of a Make[T]; nil: the call is none.
func (f *function) madeType(call *ssa.Call) types.Type {
	o := f.operations[call]
	if o == nil || o.effect != allocates {
		return nil
	}
	if args := call.Call.StaticCallee().TypeArgs(); len(args) == 1 {
		return args[0]
	}
	return nil
}

// convertedTo is the T to a pointer of which the address of a block is converted; nil: the conversion is none.
func (f *function) convertedTo(c *ssa.Convert) types.Type {
	p, ok := c.Type().Underlying().(*types.Pointer)
	if !ok || !isAddress(c.X.Type()) {
		return nil
	}
	if o, _ := f.origin(c.X); allocationOf(o) == nil {
		return nil
	}
	return p.Elem()
}

func linkedTypes(all []*function) []types.Type {
	var links []types.Type
	for _, f := range all {
		for _, b := range f.Blocks {
			for _, i := range b.Instrs {
				if c, ok := i.(*ssa.Convert); ok {
					if t := f.convertedTo(c); t != nil {
						links = append(links, t)
					}
				}
			}
		}
	}
	return links
}

// goPointer is the path to the first Go pointer in a type, as the allocator's Make tells it; "": there is none that is known. With
// links, what may be a link from block to block is none.
func goPointer(t types.Type, path string, links []types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		for _, l := range links {
			if types.Identical(l, u.Elem()) {
				return ""
			}
		}
	case *types.Basic:
		switch {
		case u.Kind() == types.UnsafePointer && len(links) > 0:
			return ""
		case u.Kind() != types.UnsafePointer && u.Info()&types.IsString == 0:
			return ""
		}
	case *types.Map, *types.Chan, *types.Signature, *types.Slice:
	case *types.Interface:
		if _, open := types.Unalias(t).(*types.TypeParam); open {
			return ""
		}
	case *types.Array:
		if u.Len() == 0 {
			return ""
		}
		return goPointer(u.Elem(), path+"[0]", links)
	case *types.Struct:
		for field := range u.Fields() {
			if found := goPointer(field.Type(), path+"."+field.Name(), links); found != "" {
				return found
			}
		}
		return ""
	default:
		return ""
	}
	return fmt.Sprintf("%s (%s)", path, types.TypeString(t, packageName))
}

func packageName(p *types.Package) string { return p.Name() }

// keepsAlive is true of what surely is memory of Go's heap, which the collector frees when it sees no address of it.
func (f *function) keepsAlive(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.MakeMap, *ssa.MakeChan, *ssa.MakeClosure:
		return true
	case *ssa.MakeInterface:
		return f.keepsAlive(v.X)
	}
	if !pointsToMemory(v.Type()) {
		return false
	}
	switch f.goMemory(v, map[ssa.Value]bool{}) {
	case made, moved:
		return true
	}
	return false
}

// throughGoPointer reports whether an address was converted in a way that is reported itself.
func (f *function) throughGoPointer(address ssa.Value, links []types.Type) bool {
	for _, v := range f.chain(address) {
		if c, ok := v.(*ssa.Convert); ok {
			if t := f.convertedTo(c); t != nil && goPointer(t, "", links) != "" {
				return true
			}
		}
	}
	return false
}
