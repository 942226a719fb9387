// Package debugging lets tests work with real debuggers, as their users do.
//
//	programs      are built once, and go test's memory of a result is kept honest   build.go
//	a process     that waits to be looked at, and what the command says of it       process.go
//	Delve         typed at through a pipe                                           delve.go
//	GDB           plays a list of commands to its end                               gdb.go, session.py
//	transcripts   of what was typed and answered, the same in every run             transcript.go, transcript_gdb.go, seals.go
//	a shell       in which a program is started and asked about                     shell.go
//	documents     that show transcripts, and say what the sessions say              document.go, readable.go
//	golden files  that transcripts are held against                                 golden.go
//	cores         of the kernel, and where they land                                cores.go
//	what lacks    skips a test, but not in CI                                       skip.go
package debugging
