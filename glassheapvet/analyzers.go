// Package glassheapvet finds, before a program runs, the obvious mistakes in its use of glassheap's allocator: blocks that are
// used or freed after they were freed, arguments that Free refuses, results of Realloc that are lost, and Go pointers that are
// kept off-heap. The command cmd/glassheapvet runs it, by itself or in go vet; other drivers take the Analyzers.
//
// It looks at one function at a time and reports only what is certain there. What it can't see, the heap itself finds when the
// program runs.
package glassheapvet

import "golang.org/x/tools/go/analysis"

const documentation = "https://pkg.go.dev/github.com/glassheap/glassheap/glassheapvet"

// Analyzers are all checks, for a driver such as unitchecker, multichecker or gopls. They have no state of their own.
func Analyzers() []*analysis.Analyzer {
	return []*analysis.Analyzer{UseAfterFree, WrongFree, LostRealloc, GoPointer}
}
