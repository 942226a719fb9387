// Package mutants tests the tests of the allocator: it breaks the allocator on purpose, in one place at a time, and expects
// that some test fails.
//
//	mutation   what is changed in which file, and why that is wrong           mutation_test.go
//	the list   by what it breaks           blocks_test.go, slabs_test.go, pages_test.go, format_test.go, audit_test.go, guards_test.go
//	trial      one mutation, built by an overlay and put to the tests         trial_test.go (build tag soak)
//	table      which test has caught what                                     table_test.go (build tag soak)
//
// That each mutation still fits its file is tested always. All trials take half an hour to an hour:
//
//	go test -tags soak -timeout 80m ./tests/mutants
//	go test -tags soak -timeout 40m ./tests/mutants -budget 20m   # those that the lot falls on
//	go test -tags soak ./tests/mutants -run 'TestEveryMutantIsCaught/mutants/.*guard'
//
// A mutation that no test catches means that a test is missing, or that the mutation changes nothing.
package mutants
