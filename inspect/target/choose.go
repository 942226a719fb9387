package target

import (
	"strconv"
	"strings"
)

// choose is the index of the heap that the options name, among those of a process. The error is a *NoHeapError or an
// *AmbiguousError.
func choose(places []Place, o Options, pid int, program string) (int, error) {
	fitting := -1
	number, byNumber := strings.CutPrefix(o.Heap, "#")
	for i, h := range places {
		if o.Heap != "" && o.Heap != h.Name && !(byNumber && number == strconv.Itoa(i+1)) {
			continue
		}
		if fitting >= 0 {
			return 0, &AmbiguousError{PID: pid, Program: program, Wanted: o.Heap, Places: places}
		}
		fitting = i
	}
	if fitting < 0 {
		return 0, &NoHeapError{PID: pid, Program: program, Wanted: o.Heap, Places: places}
	}
	return fitting, nil
}
