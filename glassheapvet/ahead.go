package glassheapvet

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// everyPathFrom reports the uses that a free can't but lead to, though other ways lead there as well:
//
//	if full { h.Free(b) }
//	use(b)
func (c *misuse) everyPathFrom() {
	for _, b := range c.Blocks {
		for n, i := range b.Instrs {
			o := c.operations[i]
			if o == nil || !o.now() || !c.gives(o) {
				continue
			}
			a := ahead{function: c.function, from: o, known: map[string]bool{}}
			if a.uses(b, n+1, freed{c.identity(o.block): o}) {
				for _, m := range a.found {
					c.tell(m)
				}
			}
		}
	}
}

// ahead looks at all paths that a free leads to.
type ahead struct {
	*function
	from  *operation
	found []*mistake      // the first on each path
	known map[string]bool // what was found, by block and state; true while that is being found out
}

// uses reports whether every path from an instruction on uses what is freed.
func (a *ahead) uses(b *ssa.BasicBlock, first int, known freed) bool {
	if first == 0 {
		key := signature(b, known)
		if answer, ok := a.known[key]; ok {
			return answer
		}
		a.known[key] = true
		answer := a.search(b, first, known)
		a.known[key] = answer
		return answer
	}
	return a.search(b, first, known)
}

func (a *ahead) search(b *ssa.BasicBlock, first int, known freed) bool {
	for _, i := range b.Instrs[first:] {
		if m := a.mistake(&state{now: known}, i); m != nil {
			a.found = append(a.found, m)
			return true
		}
		if v, ok := i.(ssa.Value); ok && known[v] != nil {
			if _, isPhi := i.(*ssa.Phi); !isPhi {
				delete(known, v)
			}
		}
	}
	if len(known) == 0 || len(b.Succs) == 0 {
		return false
	}
	for _, s := range b.Succs {
		if !a.failedOn(b, s, a.from.failure()) && !a.uses(s, 0, a.along(known, b, s)) {
			return false
		}
	}
	return true
}

func signature(b *ssa.BasicBlock, known freed) string {
	var names []string
	for v := range known {
		names = append(names, v.Name())
	}
	slices.Sort(names)
	return fmt.Sprint(b.Index, " ", strings.Join(names, " "))
}
