// Package matrix tests every kind of damage through every door: the heap is damaged on purpose, and each door has to say
// what is wrong, naming the struct, the field, what was found and what was expected; and all have to say the same.
//
//	the cases         what is done, and what has to be said           cases.tsv, cases_test.go
//	the victim        does it to its own heap                         testdata/victim
//	the doors         a process, files, Delve, GDB                    process_test.go, delve_test.go, gdb_test.go
//	an answer         as data, without what differs between doors     answer_test.go
//	the matrix        cases against doors: docs/detection.md          matrix_test.go, page_test.go
//
// A new case is a line in cases.tsv and a function in the victim's table. This prints the matrix, and writes it:
//
//	go test ./tests/matrix -run TestMatrix -v -update
package matrix
