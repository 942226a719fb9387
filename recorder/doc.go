// Package recorder writes a post-mortem when the program dies, whatever it dies of: a panic, a fault, a fatal error of the
// runtime, SIGKILL, the kernel's want of memory.
//
//	r, err := recorder.Start(recorder.Options{})
//	…
//	err = r.Stop()
//
// Start starts a small second process, which holds the memory files of the program's heaps and waits. It needs no right to
// look into the program (no ptrace), costs the program no goroutine and nothing on any path of the heap but New and Close.
// When the program has died, the second process checks the heaps as they lie there, explains the address that the crash was
// about, keeps a snapshot of each heap, and says in one line on the program's standard error where all of it is. `glassheap
// postmortem` lists and shows them.
//
// When the program ends well, nothing is written: after Stop, after a return from main or os.Exit(0), and after the signals
// by which a program is asked to end (SIGINT, SIGTERM, SIGHUP, SIGPIPE). After those signals, and after an exit with another
// status, something is written only if a heap was found damaged. How the program ended, the kernel tells through a pidfd
// (Linux 6.15, PIDFD_GET_INFO), or as long as nobody has waited for it, /proc. Where neither does (an old kernel and a fast
// parent), SIGKILL can't be told from a good end: then, too, only damage is written.
//
// # What the second process is
//
// It is the program's own executable, started once more under the name glassheap-recorder: an init function of this package
// recognises that and never returns. So main never runs in it, nor do the init functions of packages that are initialised
// after this one: those that import it, and those that come behind it in the order of import paths. The init functions of
// other packages do run in it. They find its standard input and output closed to them (/dev/null); one that listens on a port
// or writes to a database should ask Recording first.
//
// It ignores SIGINT, SIGTERM, SIGHUP and SIGQUIT, has a session of its own and a low priority, and ends with the program. It
// holds the program's standard error, so whoever reads that to its end waits for it too, unless Options.Silent.
//
// # Limits
//
// A program that is the first process of its container (pid 1) takes every other process there with it when it ends: Start
// says so. Run it under an init (docker run --init). Likewise whoever kills a whole cgroup (systemd's last SIGKILL,
// memory.oom.group) kills the second process with it. When memory is short because the heaps are large, the kernel may kill the second process soon after the
// program, to get at it: the post-mortem then lacks the snapshots, or the check, and says so. A heap in anonymous memory is gone with the program. The crash's text
// comes through debug.SetCrashOutput, which knows one file: a program that sets it itself should do so after Start, or with
// Options.KeepCrashOutput, and its post-mortems have no text then.
package recorder
