package glassheapvet

import (
	"maps"

	"golang.org/x/tools/go/ssa"
)

// freed is what is known at a place of the program: which values belong to blocks that were given back, and by which operation.
type freed map[ssa.Value]*operation

// state is what is certain at a place of the program.
type state struct {
	now   freed // freed on every path that leads here
	later freed // to be freed by a deferred call
}

func (s *state) clone() *state { return &state{maps.Clone(s.now), maps.Clone(s.later)} }

func (s *state) equal(t *state) bool { return maps.Equal(s.now, t.now) && maps.Equal(s.later, t.later) }

// of finds the operation that freed the memory that v points into.
func (f *function) of(known freed, v ssa.Value) *operation {
	if len(known) == 0 {
		return nil
	}
	for _, w := range f.chain(v) {
		if o := known[w]; o != nil {
			return o
		}
	}
	return nil
}

// ofBlock finds the operation that freed the very block that v is given to Free for.
func (f *function) ofBlock(known freed, v ssa.Value) *operation {
	if len(known) == 0 {
		return nil
	}
	if origin, _ := f.origin(v); allocationOf(origin) != nil && known[origin] != nil {
		return known[origin]
	}
	for range maximalSteps {
		if o := known[v]; o != nil {
			return o
		}
		from, d, ok := f.step(v)
		if !ok || !d.zero() {
			break
		}
		v = from
	}
	return nil
}

// gives reports whether an operation gives its block back, as far as that can be told: not one that has to fail.
func (f *function) gives(o *operation) bool {
	if o.effect != frees && o.effect != reallocates || f.expectedToFail(o) {
		return false
	}
	if n, ok := int64(0), false; o.size != nil {
		if n, ok = integer(o.size); ok && n < 0 {
			return false
		}
	}
	return !isNil(o.block)
}

// after is what an instruction makes of a state, which it changes. That a value is made anew, in a loop's next turn, needs no
// thought: where the loop begins, the way into it has not freed what is made inside.
func (f *function) after(s *state, i ssa.Instruction) {
	o := f.operations[i]
	if o == nil || !f.gives(o) {
		return
	}
	switch o.call.(type) {
	case *ssa.Call:
		s.now[f.identity(o.block)] = o
	case *ssa.Defer:
		s.later[f.identity(o.block)] = o
	}
}

// along is what is left of a state on the way from one block to the next: calls that have failed freed nothing, and the phis
// there are what they were given.
func (f *function) along(known freed, from, to *ssa.BasicBlock) freed {
	next := maps.Clone(known)
	maps.DeleteFunc(next, func(_ ssa.Value, o *operation) bool { return f.failedOn(from, to, o.failure()) })
	remaining := maps.Clone(next)
	for _, i := range to.Instrs {
		phi, ok := i.(*ssa.Phi)
		if !ok {
			break
		}
		delete(next, phi)
		for n, p := range to.Preds {
			if p == from && pointsToMemory(phi.Type()) {
				if o := f.of(remaining, phi.Edges[n]); o != nil {
					next[phi] = o
				}
			}
		}
	}
	return next
}

// statesAt is what is certain at the beginning of every block that can be reached.
func (f *function) statesAt() map[*ssa.BasicBlock]*state {
	in, out := map[*ssa.BasicBlock]*state{}, map[*ssa.BasicBlock]*state{}
	order := f.reversePostorder()
	for changed := true; changed; {
		changed = false
		for _, b := range order {
			var s *state
			for _, p := range b.Preds {
				if out[p] == nil {
					continue // not known yet, or never reached
				}
				t := &state{f.along(out[p].now, p, b), f.along(out[p].later, p, b)}
				if s == nil {
					s = t
					continue
				}
				intersect(s.now, t.now)
				intersect(s.later, t.later)
			}
			if s == nil {
				s = &state{freed{}, freed{}}
			}
			in[b] = s
			s = s.clone()
			for _, i := range b.Instrs {
				f.after(s, i)
			}
			if out[b] == nil || !s.equal(out[b]) {
				out[b], changed = s, true
			}
		}
	}
	return in
}

// intersect keeps what is freed by either way. By which operation, when there are two, is told of the first.
func intersect(a, b freed) {
	maps.DeleteFunc(a, func(v ssa.Value, _ *operation) bool { return b[v] == nil })
	for v, o := range a {
		if p := b[v]; p.call.Pos() < o.call.Pos() {
			a[v] = p
		}
	}
}
