// Package symbols turns the program counters of another Go program into functions, files and lines, from its executable.
//
//	t, err := symbols.OpenProcess(4711)              the executable that a process runs, wherever it was loaded
//	t, err := symbols.OpenMatching(path, buildID)    a file, refused when it is not the program that was built then
//	for _, f := range t.Stack(pcs) { … }             what runtime.CallersFrames would say in that program
//
// It reads the table that Go's runtime itself uses to print stacks (pclntab), so stripped programs and ones without DWARF
// have names too, and calls that were inlined are frames of their own. The table's form is that of Go 1.20 and newer.
//
//	the executable's segments, tolerant of missing or odd section headers    image.go
//	where the tables are: by section, by magic                               pclntab.go, moduledata.go, relocation.go
//	program counter → function → file, line, inlined calls                   function.go, pcvalue.go, inline.go
//	where a program was loaded                                               bias.go
//	which program it is, and which one a process runs                        buildid.go, executable.go, origin.go, process_linux.go
//
// An executable may be anything: whatever it holds, there is an answer or an error, in bounded time and memory.
package symbols
