package target

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
)

// NotFoundError says that there is no such process or file.
type NotFoundError struct {
	PID    int    // 0: it is about a file
	Path   string // of the file
	Ended  bool   // the process was there and has ended
	Closed bool   // the process is there, and the heap was
}

// Error says what is missing and where to look.
func (e *NotFoundError) Error() string {
	switch {
	case e.Path != "":
		return fmt.Sprintf("there is no file %s", printable(e.Path))
	case e.Ended:
		return fmt.Sprintf("process %d has ended: its memory is gone, unless another process holds the heap's memory file", e.PID)
	case e.Closed:
		return fmt.Sprintf("process %d has closed the heap, or has become another program", e.PID)
	case e.PID == 0:
		return "no process can have this id: `glassheap ps` lists the processes that have heaps"
	}
	return fmt.Sprintf("there is no process %d: `glassheap ps` lists the processes that have heaps", e.PID)
}

// Unwrap makes errors.Is(err, fs.ErrNotExist) true.
func (e *NotFoundError) Unwrap() error { return fs.ErrNotExist }

// PermissionError says that the system refuses to let a process be looked into or stopped, or a file be read.
type PermissionError struct {
	Wish        string // what was refused: "look into", "stop", "read"
	PID         int    // 0: it is about a file
	Program     string
	Path        string // of the file
	Owner       string // user to whom the process or file belongs; empty: not known
	OwnerIsUs   bool   // it is the user who asks
	AskedByRoot bool
	Tracer      int // process that traces it already, a debugger for example; 0: none
	PtraceScope int // of Yama (/proc/sys/kernel/yama/ptrace_scope); -1: this system has none
	Err         error
}

// Error says whose it is and what to do.
func (e *PermissionError) Error() string {
	var b strings.Builder
	what := processName(e.PID, e.Program)
	if e.Path != "" {
		what = printable(e.Path)
	}
	fmt.Fprintf(&b, "cannot %s %s: ", e.Wish, what)
	if e.Tracer != 0 {
		fmt.Fprintf(&b, "process %d traces it already (a debugger?), and there can be only one. Detach that first.", e.Tracer)
		return b.String()
	}
	b.WriteString("permission denied")
	switch {
	case e.OwnerIsUs:
		b.WriteString(" (it belongs to you).")
	case e.Owner != "":
		fmt.Fprintf(&b, " (it belongs to user %s).", e.Owner)
	default:
		b.WriteString(".")
	}
	switch {
	case e.AskedByRoot && e.Path != "":
	case e.AskedByRoot:
		b.WriteString(" In a container add CAP_SYS_PTRACE.")
	case e.OwnerIsUs && e.Path != "":
		b.WriteString(" Change its mode, or run as root.")
	case e.OwnerIsUs:
		b.WriteString(" Run as root; in a container add CAP_SYS_PTRACE.")
	case e.Path != "":
		b.WriteString(" Run as that user or root.")
	default:
		b.WriteString(" Run as that user or root; in a container add CAP_SYS_PTRACE.")
	}
	if e.Path == "" && e.PtraceScope > 0 {
		fmt.Fprintf(&b, " /proc/sys/kernel/yama/ptrace_scope is %d: %s.", e.PtraceScope, ptraceScopes[min(e.PtraceScope, len(ptraceScopes)-1)])
	}
	return b.String()
}

// ptraceScopes is what the values of Yama's setting mean (Documentation/admin-guide/LSM/Yama.rst of Linux).
var ptraceScopes = []string{
	"every process of the same user",
	"only a parent may look into its children, and root into all",
	"only root may look",
	"nobody may, until the next boot",
}

// Unwrap makes errors.Is(err, fs.ErrPermission) true, and shows the system's error.
func (e *PermissionError) Unwrap() []error {
	if e.Err == nil {
		return []error{fs.ErrPermission}
	}
	return []error{fs.ErrPermission, e.Err}
}

// NoHeapError says that a process or a core has no heap, or none of the wanted name.
type NoHeapError struct {
	PID     int
	Program string
	Core    string  // path of the core; empty: it is a process
	Wanted  string  // Options.Heap
	Places  []Place // the heaps that there are
}

// Error says what there is instead.
func (e *NoHeapError) Error() string {
	process := owner{e.PID, e.Program, e.Core}
	switch {
	case len(e.Places) == 0 && e.Core != "":
		return fmt.Sprintf("%s holds no glassheap heap: the program had none, or shared memory was not dumped (core(5): coredump_filter; 0x33 includes it)", process)
	case len(e.Places) == 0:
		return fmt.Sprintf("%s has no glassheap heap: it has made none yet, has closed it, or is another program than you think", process)
	}
	return fmt.Sprintf("%s has no heap %q. It has:%s", process, printable(e.Wanted), choices(e.Places))
}

// AmbiguousError says that several heaps fit and none was chosen.
type AmbiguousError struct {
	PID     int
	Program string
	Core    string  // path of the core; empty: it is a process
	Wanted  string  // Options.Heap; empty: none was chosen
	Places  []Place // all heaps of the process
}

// Error lists the heaps to choose from.
func (e *AmbiguousError) Error() string {
	process := owner{e.PID, e.Program, e.Core}
	if e.Wanted != "" {
		return fmt.Sprintf("%s has several heaps %q. Choose one by its number, as in --heap '#2':%s", process, printable(e.Wanted), choices(e.Places))
	}
	return fmt.Sprintf("%s has %d heaps. Choose one by --heap NAME or --heap '#N':%s", process, len(e.Places), choices(e.Places))
}

// mostListed bounds an error's text.
const mostListed = 20

func choices(places []Place) string {
	var b strings.Builder
	width := 0
	for _, p := range places[:min(len(places), mostListed)] {
		width = max(width, len(p.Name))
	}
	for i, p := range places[:min(len(places), mostListed)] {
		fmt.Fprintf(&b, "\n    #%-3d %-*s  %s, %s", i+1, width, p.Name, p.Backing, amount(p.Bytes))
		if p.Base != 0 {
			fmt.Fprintf(&b, " at %s", layout.Hex(p.Base))
		}
	}
	if more := len(places) - mostListed; more > 0 {
		fmt.Fprintf(&b, "\n    and %d more", more)
	}
	return b.String()
}

func amount(bytes uint64) string {
	if bytes < 10<<20 {
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}

// NotDumpedError says that a core tells of a heap, and does not hold the heap's memory.
type NotDumpedError struct {
	Path string // of the core
	Heap string // its name
	File string // of the heap, where it is there still; empty: it isn't
	Cut  bool   // the core has lost its end
}

// Error says why and what to do.
func (e *NotDumpedError) Error() string {
	text := fmt.Sprintf("the core %s tells of heap %q and does not hold its memory", printable(e.Path), e.Heap)
	switch {
	case e.File != "":
		return text + fmt.Sprintf(": files were not dumped. The heap's own file is there: glassheap check %s. It may have changed since; echo 0x3f > /proc/PID/coredump_filter has the kernel dump files, too", printable(e.File))
	case e.Cut:
		return text + ": it has lost its end. Copy it again, or raise ulimit -c"
	}
	return text + ": shared memory was not dumped. echo 0x33 > /proc/PID/coredump_filter (0x3f for named files) has the kernel dump it next time (core(5)); package recorder keeps it without a core"
}

// CoreError says that a core can't be used.
type CoreError struct {
	Path    string
	Problem string
}

// Error says why.
func (e *CoreError) Error() string {
	return fmt.Sprintf("the core %s can't be read: %s", printable(e.Path), e.Problem)
}

// FormatError says that a file is neither a heap file, a snapshot nor a core.
type FormatError struct {
	Path  string
	Found string // what it is instead
}

// Error says what was found and what was expected.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s is neither a heap file, a snapshot nor a core: %s", printable(e.Path), e.Found)
}

// TruncatedError says that the end of a snapshot is missing.
type TruncatedError struct {
	Path  string
	Bytes int64 // that there are
}

// Error says what to do.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("the snapshot %s has lost its end: %d bytes are there. It was cut off on its way or is still being written; copy it again", printable(e.Path), e.Bytes)
}

// VersionError says that a snapshot was written in a newer format.
type VersionError struct {
	Path         string
	Found, Known uint32
}

// Error says what to do.
func (e *VersionError) Error() string {
	return fmt.Sprintf("the snapshot %s has version %d and this glassheap knows up to %d: use a newer glassheap", printable(e.Path), e.Found, e.Known)
}

// DamagedError says that a part of a snapshot is not what was written. The other parts can still be read, if it could be
// opened at all.
type DamagedError struct {
	Path          string
	Offset, Bytes int64 // the range of the heap that can't be read; Bytes 0: no range, the snapshot can't be used
	Reason        string
}

// Error says which part.
func (e *DamagedError) Error() string {
	if e.Bytes == 0 {
		return fmt.Sprintf("the snapshot %s is damaged: %s", printable(e.Path), e.Reason)
	}
	return fmt.Sprintf("the snapshot %s is damaged: the bytes %#x to %#x of the heap can't be read: %s", printable(e.Path), e.Offset, e.Offset+e.Bytes, e.Reason)
}

// StopError says that a process could not be held still.
type StopError struct {
	PID     int
	Thread  int    // that did not stop; 0: the reason is another
	State   string // of the thread, as in /proc: "D" is a wait that nothing interrupts
	Waited  time.Duration
	Because error
}

// Error says which thread did not stop.
func (e *StopError) Error() string {
	if e.Thread == 0 {
		return fmt.Sprintf("process %d can't be held still: %v", e.PID, e.Because)
	}
	text := fmt.Sprintf("process %d can't be held still: thread %d (state %s) did not stop within %v", e.PID, e.Thread, e.State, e.Waited.Round(time.Millisecond))
	if e.Because != nil {
		text += ": " + e.Because.Error()
	}
	return text
}

// Unwrap is the reason, context.Canceled for example.
func (e *StopError) Unwrap() error { return e.Because }

// PlatformError says that this system has no such door.
type PlatformError struct{ Wish string }

// Error says what works instead.
func (e *PlatformError) Error() string {
	return fmt.Sprintf("glassheap can %s only on Linux: here it reads cores, heap files and snapshots", e.Wish)
}

// Unwrap makes errors.Is(err, errors.ErrUnsupported) true.
func (e *PlatformError) Unwrap() error { return errors.ErrUnsupported }

var errNegativeOffset = errors.New("reading before the start of the heap")
