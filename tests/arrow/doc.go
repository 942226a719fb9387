// Package arrow runs the tests that Apache Arrow Go has in its own module on glassheap:
//
//	go test -tags modules -timeout 90m -v .
//
// fetches the module, builds the tests of its packages as they are and with memory.GoAllocator, which is its default allocator
// as well, on a heap in a file; runs both, the latter sealed and in audit mode; and compares what passes. `glassheap check` looks
// at each process again and again while it runs, and at the file when it has ended. -run 'TestArrow/arrow/array$' takes one package.
//
// TestPlantedBugs, of the same tag, builds package workload with mistakes planted in the module, and as it is: bugs_test.go has them.
//
//	go test -tags modules -run TestCosts -rounds 5 -timeout 30m .
//
// runs benchmarks that the module has, of its packages compute and ipc, with its default allocator, on a heap sealed and in audit
// mode, and with its C allocator, and prints a table of ratios for allocator/arrow/README.md.
package arrow
