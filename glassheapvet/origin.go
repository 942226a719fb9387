package glassheapvet

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// distance is how many bytes lie between an address and the one that it was made of.
type distance struct {
	least    int64 // exactly so many when exact
	exact    bool
	anything bool // it may be less, too
}

var noDistance = distance{exact: true}

func (d distance) plus(e distance) distance {
	return distance{least: d.least + e.least, exact: d.exact && e.exact, anything: d.anything || e.anything}
}

// zero and notZero tell what is certain.
func (d distance) zero() bool    { return d.exact && d.least == 0 }
func (d distance) notZero() bool { return d.exact && d.least != 0 || !d.anything && d.least > 0 }

func times(index ssa.Value, size int64) distance {
	if index == nil {
		return noDistance
	}
	if n, ok := integer(index); ok {
		return distance{least: n * size, exact: true}
	}
	return distance{} // an index is not negative
}

// step goes from a value back to the one that it points into the same memory as: from b[2:] to b, from (*T)(p) to p.
func (f *function) step(v ssa.Value) (from ssa.Value, d distance, ok bool) {
	switch v := v.(type) {
	case *ssa.Slice:
		return v.X, times(v.Low, sizeOfElement(v.X.Type())), true
	case *ssa.IndexAddr:
		return v.X, times(v.Index, sizeOfElement(v.X.Type())), true
	case *ssa.FieldAddr:
		return v.X, offsetOfField(v), true
	case *ssa.ChangeType:
		return v.X, noDistance, true
	case *ssa.SliceToArrayPointer:
		return v.X, noDistance, true
	case *ssa.Convert:
		if isAddress(v.Type()) && isAddress(v.X.Type()) {
			return v.X, noDistance, true
		}
	case *ssa.UnOp:
		if held := f.held[v]; held != nil && held != v {
			return held, noDistance, true
		}
	case *ssa.Call:
		args := v.Call.Args
		switch builtinOf(&v.Call) {
		case "Slice", "SliceData", "String", "StringData":
			return args[0], noDistance, true
		case "Add":
			if n, ok := integer(args[1]); ok {
				return args[0], distance{least: n, exact: true}, true
			}
			return args[0], distance{anything: true}, true
		}
	case *ssa.Phi:
		if from, d := f.common(v); from != nil {
			return from, d, true
		}
	}
	return nil, distance{}, false
}

func offsetOfField(v *ssa.FieldAddr) distance {
	p, ok := v.X.Type().Underlying().(*types.Pointer)
	if !ok {
		return distance{}
	}
	s, ok := p.Elem().Underlying().(*types.Struct)
	if !ok || v.Field == 0 || dependsOnTypeParameter(p.Elem()) || dependsOnTypeParameter(s) {
		if v.Field == 0 {
			return noDistance
		}
		return distance{}
	}
	var fields []*types.Var
	for field := range s.Fields() {
		fields = append(fields, field)
	}
	return distance{least: sizes.Offsetsof(fields)[v.Field], exact: true}
}

// isAddress is true of pointers and unsafe.Pointer, not of integers.
func isAddress(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return true
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	}
	return false
}

// pointsToMemory is true of what may point into a block: addresses, slices, strings.
func pointsToMemory(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return true
	case *types.Basic:
		return u.Info()&types.IsString != 0 || u.Kind() == types.UnsafePointer
	}
	return isAddress(t)
}

// common is what all that a variable may hold at a join was made of, if that is one value.
func (f *function) common(phi *ssa.Phi) (ssa.Value, distance) {
	if c, ok := f.joined[phi]; ok {
		return c.from, c.distance
	}
	if f.joining[phi] || len(f.joining) > 8 {
		return nil, distance{}
	}
	f.joining[phi] = true
	defer delete(f.joining, phi)

	var from ssa.Value
	var d distance
	grows, shrinks := false, false // from one turn of a loop to the next
	for _, edge := range phi.Edges {
		origin, e := f.origin(edge)
		switch {
		case origin == phi:
			grows = grows || !e.zero()
			shrinks = shrinks || e.anything || e.least < 0
		case from == nil:
			from, d = origin, e
		case from == origin:
			d = distance{least: min(d.least, e.least), exact: d.exact && e.exact && d.least == e.least, anything: d.anything || e.anything}
		default:
			return f.settle(phi, nil, distance{})
		}
	}
	d.exact = d.exact && !grows
	d.anything = d.anything || shrinks
	return f.settle(phi, from, d)
}

// settle keeps what a join was found to be, unless that was found on the way to another.
func (f *function) settle(phi *ssa.Phi, from ssa.Value, d distance) (ssa.Value, distance) {
	if len(f.joining) == 1 {
		f.joined[phi] = join{from, d}
	}
	return from, d
}

type join struct {
	from     ssa.Value
	distance distance
}

// origin goes all the way back: what v was made of, and how far into that it points.
func (f *function) origin(v ssa.Value) (ssa.Value, distance) {
	d := noDistance
	for range maximalSteps {
		from, e, ok := f.step(v)
		if !ok {
			break
		}
		v, d = from, d.plus(e)
	}
	return v, d
}

// chain is v and everything that it was made of.
func (f *function) chain(v ssa.Value) []ssa.Value {
	values := []ssa.Value{v}
	for range maximalSteps {
		from, _, ok := f.step(v)
		if !ok {
			break
		}
		v = from
		values = append(values, v)
	}
	return values
}

const maximalSteps = 100

// identity is the value that stands for the block of which v is given to Free: the earliest that surely starts where v does, or
// belongs to the same block because it is one that was allocated.
func (f *function) identity(v ssa.Value) ssa.Value {
	if o, _ := f.origin(v); allocationOf(o) != nil {
		return o
	}
	for range maximalSteps {
		from, d, ok := f.step(v)
		if !ok || !d.zero() {
			break
		}
		v = from
	}
	return v
}

// actual is the value that a variable in memory was last set to, where that is certain.
func (f *function) actual(v ssa.Value) ssa.Value {
	for range maximalSteps {
		load, ok := v.(*ssa.UnOp)
		if !ok || load.Op != token.MUL || f.held[load] == nil || f.held[load] == v {
			break
		}
		v = f.held[load]
	}
	return v
}
