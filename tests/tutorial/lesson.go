// Package tutorial holds the programs of docs/tutorial.md, one mistake in each, and the tests that play its sessions.
//
//	lesson      what is wrong where: the one place that says so          lesson.go
//	building    a program with its mistake planted, by an overlay        internal/planted
//	programs    a folder for each lesson; plant builds them, onlookers lets them wait
//	sessions    what is typed in Delve, in GDB and in a shell            sessions_test.go
//	document    is what the sessions say                                 document_test.go
package tutorial

import (
	"context"

	"github.com/glassheap/glassheap/internal/planted"
)

// Lesson is one program, and what is wrong in it.
type Lesson struct {
	Name        string
	Question    string          // that finds it
	Command     string          // of glassheap that asks it from outside, without the process
	Mistake     planted.Mistake // of the allocator; none: the program itself is wrong
	Environment string          // that the program has to be started in
}

// Lessons are all of them, in the order of docs/tutorial.md.
var Lessons = []Lesson{
	{"bintable", "have my structs been initialised properly?", "structs", planted.Mistake{
		Package: "allocator",
		File:    "slab.go",
		Right:   "		Bin:      b.ID,\n",
		Wrong:   "\n", // the lines below keep their numbers
	}, ""},
	{"arithmetic", "are my calculations right?", "math", planted.Mistake{
		Package: "allocator",
		File:    "layout/geometry.go",
		Right:   "Capacity: pages * PageBytes / stride,",
		Wrong:   "Capacity: (pages*PageBytes + stride - 1) / stride,",
	}, ""},
	{"overflow", "is anything wrong, and who did it?", "check", planted.Mistake{}, ""},
	{"doublefree", "who frees this block twice?", "check", planted.Mistake{}, ""},
	{"useafterfree", "who wrote to a block that was freed?", "check", planted.Mistake{}, "GLASSHEAP=mode=audit"},
	{"leak", "who allocates what is never freed?", "leaks", planted.Mistake{}, "GLASSHEAP=mode=audit"},
}

// Find is the lesson of this name.
func Find(name string) (Lesson, bool) {
	for _, l := range Lessons {
		if l.Name == name {
			return l, true
		}
	}
	return Lesson{}, false
}

// Build builds the lesson's program in a folder, with the mistake in it and with every variable left for a debugger to show.
// The clone itself is not changed. It returns the program's path.
func (l Lesson) Build(ctx context.Context, folder string) (program string, err error) {
	return planted.Build(ctx, folder, "tests/tutorial/"+l.Name, l.Mistake, "-gcflags=all=-N -l")
}
