// Package debugging lets tests work with real debuggers, as their users do.
//
//	Delve   typed at through a pipe                      delve.go
//	build   the program that is debugged                 build.go
//	GDB     plays a list of commands to its end          gdb.go, session.py
package debugging
