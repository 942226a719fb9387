package glassheapvet

import (
	"fmt"
	"go/token"
	"go/types"
	"maps"

	"golang.org/x/tools/go/ssa"
)

// place is a variable in memory: one that a function literal captures, or a field of a struct.
type place struct {
	base ssa.Value
	path string
	kind types.Type
}

func (p place) key() placeKey { return placeKey{p.base, p.path} }

type placeKey struct {
	base ssa.Value
	path string
}

type held struct {
	value ssa.Value
	kind  types.Type
}

// contents is what places certainly hold.
type contents map[placeKey]held

// findHeld tells of every load from memory which value it gives, where a load or a store before it settles that on every path.
// Without it `h.Free(s.b); use(s.b)` would be two values.
func (f *function) findHeld() {
	out := make(map[*ssa.BasicBlock]contents, len(f.Blocks))
	order := f.reversePostorder()
	for range 12 {
		changed := false
		for _, b := range order {
			c := f.contentsAt(b, out)
			for _, i := range b.Instrs {
				f.follow(c, i)
			}
			if old, ok := out[b]; !ok || !maps.Equal(old, c) {
				out[b], changed = c, true
			}
		}
		if !changed {
			return
		}
	}
	clear(f.held) // it does not settle: nothing is certain
}

func (f *function) contentsAt(b *ssa.BasicBlock, out map[*ssa.BasicBlock]contents) contents {
	var c contents
	for _, p := range b.Preds {
		o, ok := out[p]
		switch {
		case !ok:
		case c == nil:
			c = maps.Clone(o)
		default:
			maps.DeleteFunc(c, func(k placeKey, h held) bool { return o[k].value != h.value })
		}
	}
	if c == nil {
		c = contents{}
	}
	return c
}

// follow changes contents as an instruction does.
func (f *function) follow(c contents, i ssa.Instruction) {
	switch i := i.(type) {
	case *ssa.UnOp:
		switch i.Op {
		case token.ARROW:
			f.forgetShared(c)
		case token.MUL:
			p, ok := f.placeOf(i.X)
			if !ok {
				f.held[i] = i
				return
			}
			if h, ok := c[p.key()]; ok {
				f.held[i] = h.value
				return
			}
			f.held[i] = i
			c[p.key()] = held{i, p.kind}
		}
	case *ssa.Store:
		f.store(c, i)
	case *ssa.Send, *ssa.Select, *ssa.Go, *ssa.RunDefers:
		f.forgetShared(c)
	case *ssa.Call:
		switch builtinOf(&i.Call) {
		case "":
			if o := calleeOf(&i.Call); o == nil || !isAllocator(o.Pkg()) || isAllocator(f.Pkg.Pkg) {
				f.forgetShared(c)
			}
		case "copy", "append", "clear":
			f.forgetShared(c)
		}
	}
}

func (f *function) store(c contents, s *ssa.Store) {
	p, known := f.placeOf(s.Addr)
	stored := s.Val.Type()
	_, isStruct := stored.Underlying().(*types.Struct)
	_, isArray := stored.Underlying().(*types.Array)
	whole := isStruct || isArray
	maps.DeleteFunc(c, func(k placeKey, h held) bool {
		switch {
		case known && k.base == p.base:
			if k.path == p.path {
				return true
			}
			return whole
		case f.isPrivate(k.base):
			return false
		case known && f.isPrivate(p.base):
			return false
		}
		return whole || types.Identical(h.kind, stored)
	})
	if known {
		c[p.key()] = held{s.Val, p.kind}
	}
}

// forgetShared leaves only what nobody but this function changes.
func (f *function) forgetShared(c contents) {
	maps.DeleteFunc(c, func(k placeKey, _ held) bool { return !f.isPrivate(k.base) })
}

// placeOf is the variable at an address, if it has a name of its own.
func (f *function) placeOf(address ssa.Value) (place, bool) {
	pointer, ok := address.Type().Underlying().(*types.Pointer)
	if !ok {
		return place{}, false
	}
	p := place{base: address, kind: pointer.Elem()}
	for range maximalSteps {
		switch a := p.base.(type) {
		case *ssa.FieldAddr:
			p.base, p.path = a.X, fmt.Sprintf(".%d%s", a.Field, p.path)
			continue
		case *ssa.IndexAddr:
			n, ok := integer(a.Index)
			if !ok {
				return place{}, false
			}
			p.base, p.path = a.X, fmt.Sprintf("[%d]%s", n, p.path)
			continue
		case *ssa.UnOp:
			if v := f.actual(a); v != a {
				p.base = v
				continue
			}
		}
		return p, true
	}
	return place{}, false
}

// isPrivate is true of a variable that only this function writes, though function literals may read it.
func (f *function) isPrivate(v ssa.Value) bool {
	cell, ok := v.(*ssa.Alloc)
	if !ok {
		return false
	}
	private, ok := f.private[cell]
	if !ok {
		private = onlyRead(cell, true)
		f.private[cell] = private
	}
	return private
}

// onlyRead reports whether a variable's address is used to load from, and, where mayStore, to store to, and for nothing else.
func onlyRead(address ssa.Value, mayStore bool) bool {
	for _, r := range *address.Referrers() {
		switch r := r.(type) {
		case *ssa.UnOp, *ssa.DebugRef:
		case *ssa.Store:
			if r.Val == address || !mayStore {
				return false
			}
		case *ssa.FieldAddr:
			if !onlyRead(r, mayStore) {
				return false
			}
		case *ssa.IndexAddr:
			if !onlyRead(r, mayStore) {
				return false
			}
		case *ssa.MakeClosure:
			literal := r.Fn.(*ssa.Function)
			for n, bound := range r.Bindings {
				if bound == address && !onlyRead(literal.FreeVars[n], false) {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}
