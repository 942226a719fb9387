// Package model holds the allocator against a model of it: plain Go that knows which blocks are live, where they lie and
// what is in them. Random operations, legal and illegal ones, are done to a heap; after each, what the heap did must be what
// the model predicted, and the whole heap must pass inspect.Check.
//
//	choices    where the random numbers come from: rapid, which shrinks what fails, or a seed   choices_test.go
//	sizes      what is asked for: mostly small, often at the border of something                sizes_test.go
//	block      one live block, its pattern, and how it is given back                            block_test.go
//	world      a heap, what the model knows of it, and what is predicted                        world_test.go, index_test.go
//	held       what audit mode holds back                                                       held_test.go
//	player     one goroutine's blocks, and what it does with them                               player_test.go
//	legal      Alloc, Realloc, Free … and what must come of them                                alloc_test.go, realloc_test.go
//	trespass   double frees, overflows, foreign addresses … and the violation that each must be trespass_test.go, damage_test.go
//	verdict    the heap as a whole: its statistics, and inspect.Check                           verdict_test.go
//
// One goroutine is checked after each step (one_test.go), four of them whenever they rest (crowd_test.go).
//
// To go deeper: go test ./tests/model -rapid.checks 5000 -timeout 2h
package model
