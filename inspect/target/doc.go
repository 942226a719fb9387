// Package target is the doors of a heap: where its bytes come from when somebody else wants to read them.
//
//	t, err := target.Open(ctx, "4711", target.Options{})   a running process
//	t, err := target.Open(ctx, "core.4711", …)             or a file, recognised by its content
//	n, err := t.ReadAt(p, offset)                          offset 0 is the Header
//
// Whatever the door, a Target is the same thing: the memory of one heap, read by offset from its Header. Reading never
// writes to the heap, never faults and never panics, and what is not there reads as zeros.
//
//	door               reads through                                        file
//	memfd              a descriptor of the heap's memory file: pread        find_linux.go, open_linux.go
//	process_vm_readv   a copy out of a process, for anonymous memory        vmread_linux.go
//	/proc/PID/mem      the same where that call is forbidden                vmread_linux.go
//	heap file          a named file, in use or left behind                  file.go
//	snapshot           a file of compressed pieces, made by WriteSnapshot   snapshot.go
//	core               the core file of a process, made by anybody          core.go
//	memory             a slice, for tests                                   memory.go
//
// A process can also be held still for a moment (Stopper, stop_linux.go), and its memory copied quickly in that moment
// (Freeze), so that the slow work is done when it runs again.
//
// Whose program it is, for the names of its functions, tells OriginOf (origin.go); what else of a process may refer to blocks,
// a Rooted target (roots.go, roots_linux.go).
//
// A core may lack bytes that its process had (Partial, partial.go). Its headers are read in core_elf.go and core_notes.go, its memory
// is laid out in core_memory.go, its heaps are found in core_find.go, a compressed one is unpacked in core_unpack.go.
//
// The doors into processes are there on Linux only; everything else works everywhere.
package target
