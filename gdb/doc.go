// Package gdb brings glassheap into GDB: it carries the Python scripts, puts them where GDB can load them, and starts GDB
// with them.
//
//	glassheap.py        what GDB loads
//	glassheap_gdb/      the package behind it; its __init__.py says which file does what
//	scripts.go          the scripts as files in the user's cache
//	gdbinit.go          the block in the user's gdbinit that loads them
//	debugger.go         which gdb there is, and whether it will do
//	session.go          the command line of gdb for a process, a program or a core
//
// The scripts hold no offset of the memory format and no rule of what is right: they find the heap, copy what of it is in
// use, and let the glassheap program answer. See docs/gdb.md.
package gdb
