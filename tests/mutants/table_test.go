//go:build soak

package mutants

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// table shows every mutant and what caught it, those first that nothing did.
func (r *results) table() string {
	slices.SortFunc(r.list, func(a, b result) int {
		return cmp.Or(cmp.Compare(min(len(a.caught), 1), min(len(b.caught), 1)), cmp.Compare(a.file, b.file), cmp.Compare(a.name, b.name))
	})
	width, caught := 0, 0
	for _, one := range r.list {
		width = max(width, len(one.file)+len(one.name)+2)
		caught += min(len(one.caught), 1)
	}
	var b strings.Builder
	for _, one := range r.list {
		fmt.Fprintf(&b, "%-*s  %5s  %s\n", width, one.file+": "+one.name, one.took.Round(100*time.Millisecond), cmp.Or(one.caught, "SURVIVED"))
	}
	fmt.Fprintf(&b, "%d of %d mutants caught\n", caught, len(r.list))
	if r.leftOut != 0 {
		fmt.Fprintf(&b, "%d not tried: the budget is spent\n", r.leftOut)
	}
	return b.String()
}
