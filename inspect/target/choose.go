package target

import (
	"strconv"
	"strings"
)

// choose is the index of the heap that the options name, among those of a process or a core. The error is a *NoHeapError or an
// *AmbiguousError.
func choose(places []Place, o Options, of owner) (int, error) {
	fitting := -1
	number, byNumber := strings.CutPrefix(o.Heap, "#")
	for i, h := range places {
		if o.Heap != "" && o.Heap != h.Name && !(byNumber && number == strconv.Itoa(i+1)) {
			continue
		}
		if fitting >= 0 {
			return 0, &AmbiguousError{PID: of.pid, Program: of.program, Core: of.core, Wanted: o.Heap, Places: places}
		}
		fitting = i
	}
	if fitting < 0 {
		return 0, &NoHeapError{PID: of.pid, Program: of.program, Core: of.core, Wanted: o.Heap, Places: places}
	}
	return fitting, nil
}

// owner is whose heaps are to choose from.
type owner struct {
	pid     int
	program string
	core    string // path; empty: it is a process
}

func (o owner) String() string {
	if o.core != "" {
		return coreName(o.core, o.pid, o.program)
	}
	return processName(o.pid, o.program)
}
