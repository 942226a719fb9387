// Package tutorial holds the programs of docs/tutorial.md, one mistake in each, and the tests that play its sessions.
//
//	lesson      what is wrong where: the one place that says so          lesson.go
//	building    a program with its mistake planted, by an overlay        build.go
//	programs    a folder for each lesson; plant builds them, onlookers lets them wait
//	sessions    what is typed in Delve, in GDB and in a shell            sessions_test.go
//	document    is what the sessions say                                 document_test.go
package tutorial

// Lesson is one program, and what is wrong in it.
type Lesson struct {
	Name        string
	Question    string // that finds it
	Command     string // of glassheap that asks it from outside, without the process
	Mistake     Mistake
	Environment string // that the program has to be started in
}

// Mistake is a change of the allocator. The zero Mistake changes nothing: the program itself is wrong.
type Mistake struct {
	File  string // from the folder allocator
	Right string // occurs once in it
	Wrong string // stands in its place
}

// Lessons are all of them, in the order of docs/tutorial.md.
var Lessons = []Lesson{
	{"bintable", "have my structs been initialised properly?", "structs", Mistake{
		File:  "slab.go",
		Right: "		Bin:      b.ID,\n",
		Wrong: "\n", // the lines below keep their numbers
	}, ""},
	{"arithmetic", "are my calculations right?", "math", Mistake{
		File:  "layout/geometry.go",
		Right: "Capacity: pages * PageBytes / stride,",
		Wrong: "Capacity: (pages*PageBytes + stride - 1) / stride,",
	}, ""},
	{"overflow", "is anything wrong, and who did it?", "check", Mistake{}, ""},
	{"doublefree", "who frees this block twice?", "check", Mistake{}, ""},
	{"useafterfree", "who wrote to a block that was freed?", "check", Mistake{}, "GLASSHEAP=mode=audit"},
	{"leak", "who allocates what is never freed?", "leaks", Mistake{}, "GLASSHEAP=mode=audit"},
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
