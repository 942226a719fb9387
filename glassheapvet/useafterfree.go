package glassheapvet

import (
	"fmt"
	"go/token"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"
)

// UseAfterFree finds memory that is used, returned or freed once more after the function that does so has freed it or given it to
// Realloc. It reports what happens on every path to the use, what happens on every path from the free, and what a second turn
// of a loop does; not what only happens if two conditions agree.
var UseAfterFree = &analysis.Analyzer{
	Name:     "useafterfree",
	Doc:      "find off-heap memory that is used, returned or freed again after glassheap's Free or Realloc",
	URL:      documentation,
	Requires: []*analysis.Analyzer{functions},
	Run: func(pass *analysis.Pass) (any, error) {
		report, tell := reporter(pass)
		defer tell()
		for _, f := range functionsOf(pass) {
			if !f.givesBack() {
				continue
			}
			c := misuse{function: f, report: report, reported: map[ssa.Instruction]bool{}}
			c.everyPathTo()
			c.everyPathFrom()
			c.nextTurn()
		}
		return nil, nil
	},
}

// misuse reports each use of freed memory once.
type misuse struct {
	*function
	report   func(at token.Pos, message string)
	reported map[ssa.Instruction]bool
}

func (f *function) givesBack() bool {
	for _, o := range f.operations {
		if o.effect == frees || o.effect == reallocates {
			return true
		}
	}
	return false
}

// everyPathTo reports the uses that only a free leads to.
func (c *misuse) everyPathTo() {
	in := c.statesAt()
	for _, b := range c.reversePostorder() {
		s := in[b].clone()
		for _, i := range b.Instrs {
			if m := c.mistake(s, i); m != nil {
				c.tell(m)
			}
			c.after(s, i)
		}
	}
}

// mistake is what an instruction does wrong in a state.
type mistake struct {
	by      ssa.Instruction
	at      token.Pos
	message string
}

func (f *function) mistake(s *state, i ssa.Instruction) *mistake {
	if o := f.operations[i]; o != nil {
		return f.mistakenFree(s, o)
	}
	exit, leaves := i.(*ssa.Return)
	for _, u := range f.usesOf(i) {
		earlier, deferred := f.of(s.now, u.memory), (*operation)(nil)
		if leaves {
			deferred = f.of(s.later, u.memory)
			if (earlier != nil || deferred != nil) && f.returnsFailure(exit) {
				return nil
			}
		}
		switch {
		case earlier != nil:
			return &mistake{i, u.at, fmt.Sprintf("%s is %s after %s: %s", f.blockName(earlier), u.verb, f.where(earlier), advice(earlier))}
		case deferred != nil:
			return &mistake{i, u.at, fmt.Sprintf("%s is returned, but the deferred %s frees it first: leave that to the caller", f.blockName(deferred), f.where(deferred))}
		}
	}
	return nil
}

func (f *function) mistakenFree(s *state, o *operation) *mistake {
	if !f.gives(o) {
		return nil
	}
	at := o.call.Pos()
	if _, direct := o.call.(*ssa.Go); direct || !at.IsValid() {
		at = o.call.Common().Pos()
	}
	if earlier := f.ofBlock(s.now, o.block); earlier != nil {
		if o.effect == reallocates {
			return &mistake{o.call, at, fmt.Sprintf("%s is reallocated after %s: %s", f.blockName(o), f.where(earlier), advice(earlier))}
		}
		if earlier.effect == reallocates {
			return &mistake{o.call, at, fmt.Sprintf("%s is freed after %s: %s", f.blockName(o), f.where(earlier), advice(earlier))}
		}
		return &mistake{o.call, at, fmt.Sprintf("%s is freed again after %s: free it once", f.blockName(o), f.where(earlier))}
	}
	if deferred := f.ofBlock(s.later, o.block); deferred != nil {
		return &mistake{o.call, at, fmt.Sprintf("%s gives back what the deferred %s frees again: free it once", o.name, f.where(deferred))}
	}
	return nil
}

func (f *function) where(o *operation) string {
	at := o.call.Pos()
	if !at.IsValid() {
		at = o.call.Common().Pos()
	}
	return fmt.Sprintf("%s in line %d", f.written(o), f.line(at))
}

func advice(earlier *operation) string {
	if earlier.effect == reallocates {
		return "use what " + earlier.name + " returned"
	}
	return "free it last"
}

func (c *misuse) tell(m *mistake) {
	if !c.reported[m.by] {
		c.reported[m.by] = true
		c.report(m.at, m.message)
	}
}
