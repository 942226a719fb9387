// Package cases plays every memory error of cases.tsv and holds what is told of it against what should be: by the program
// itself, and from outside by check through the doors that a test can open to it.
//
//	cases       the errors, after the tests of the allocators that they come from   cases.tsv
//	scenarios   what a program does in each                                         *_scenarios_test.go
//	stage       the process in which a scenario plays                               stage_test.go
//	doors       through which its parent looks at it                                doors_test.go
//	table       runs them all, and writes docs/cases.md                             table_test.go
//
// The other cases of damaged metadata (meta_…) are in tests/matrix, before the debuggers too.
package cases
