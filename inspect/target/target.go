package target

import (
	"context"
	"io"
	"time"
)

// Target is the memory of one heap, read by offset from its Header: offset 0 is the Header, and offset = address - base.
// All methods are safe for concurrent use.
type Target interface {
	// ReadAt reads as io.ReaderAt says. Holes and parts that were never made accessible read as zeros. A read beyond Size
	// gives io.EOF with a short count. The memory may change while it is read: two reads need not agree.
	io.ReaderAt

	// Base is the address of the Header in the owning process, as the door knows it without believing the heap. It is 0 when
	// only the Header itself tells: in files, and in snapshots of files.
	Base() uint64

	// Size is how many bytes can be there at most: the size of the file or of the reserved range. The memory file of a
	// running process may grow.
	Size() int64

	// Description says what is looked at.
	Description() Description

	// Close lets go of the target, and of the process if it is still being held. A read that is under way ends or fails.
	Close() error
}

// Warner is a Target with something that its user should know before all answers.
type Warner interface {
	Warning() string // empty: nothing
}

// Stopper is a Target whose owner can be held still for a moment. Targets of other processes are Stoppers.
type Stopper interface {
	// Stop holds every thread of the owner until Resume. It gives up after two seconds, or when ctx ends; nothing stays
	// stopped then. A process that somebody else has stopped already (SIGSTOP, a debugger) counts as held and is left as it
	// was found. An error of which StopRefused is true means that the caller has to do without. One Stop at a time.
	//
	// Should the caller die, the kernel lets the owner go on. A caller that is also the owner's parent must not wait for it in
	// the meantime: the wait would take the stop for an exit.
	Stop(ctx context.Context) (Stopped, error)
}

// Own is a Target that belongs to the process which looks at it. It can't be held still, and others may use it meanwhile: if nobody
// else, what gives idle memory back.
type Own interface{ Own() }

// Stopped is a process that is held still.
type Stopped interface {
	// Resume lets the process go on. Further calls do nothing and return the same.
	Resume() error
	// Stood is, after Resume, how long the process was disturbed: from when the first of its threads was asked to stop until
	// the last went on.
	Stood() time.Duration
}

// Options say what is opened, and how.
type Options struct {
	// Heap chooses among several heaps of a process or of a core: by name, or by number as "#1", "#2" … in the order of FindHeaps. Empty:
	// there must be exactly one.
	Heap string

	// Stop says how far a running process may be held still. Empty: StopAuto.
	Stop Stopping

	// Unpacking, if set, is called now and then while a compressed core is unpacked: bytes of the file that are done, of all.
	Unpacking func(done, total int64)
}

// Place is a heap in a process or a core.
type Place struct {
	Name    string `json:"name"`
	Base    uint64 `json:"base"`    // address of its Header; 0: the process holds the memory file but doesn't have it mapped
	Bytes   uint64 `json:"bytes"`   // of memory that is accessible there, touched or not; of the file where it isn't mapped
	Backing string `json:"backing"` // "memfd", "file", "anonymous"
}

// Open opens what the argument names. Digits are the id of a process; anything else is the path of a heap file, a
// snapshot or a core, which of them its content says. (A file whose name is all digits is opened as ./4711.)
func Open(ctx context.Context, argument string, options Options) (Target, error) {
	if pid, isNumber := processID(argument); isNumber {
		return OpenProcess(pid, options)
	}
	return OpenPath(ctx, argument, options)
}

// processID reads a process id. A number that no process can have is one all the same: 0.
func processID(argument string) (pid int, isNumber bool) {
	for _, c := range []byte(argument) {
		if c < '0' || c > '9' {
			return 0, false
		}
		if pid = pid*10 + int(c-'0'); pid > mostProcessID {
			return 0, true
		}
	}
	return pid, argument != ""
}

// mostProcessID is above what any system gives out (Linux: 1<<22).
const mostProcessID = 1<<30 - 1
