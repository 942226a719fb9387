// Package leaksignature reads and writes files of leak signatures: stacks from which memory was allocated and never freed, so
// that a later run can stop right there, before the leak.
//
//	set, err := leaksignature.ReadFile("leaks.txt")
//	if set.Match(frames) { … }       frames of runtime.CallersFrames, at an allocation
//
// A file has a paragraph for each stack, and two lines for each call, the innermost first, as Go's tracebacks write them:
//
//	# 4,800 bytes in 100 blocks
//	main.(*cache).load
//		cache.go:42
//	main.main
//		main.go:17
//
// Lines that begin with # are for people, blank lines end a paragraph. A paragraph whose last line is "..." is a stack that was
// cut off there: whatever called its last function matches. Calls are compared by function and line, not by address and not by
// folder, so a file stays true when the program is built again elsewhere, as long as these lines stay where they are.
//
//	the file's lines            file.go
//	which stacks match          set.go
package leaksignature
