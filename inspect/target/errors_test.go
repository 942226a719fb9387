package target

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestErrors keeps the texts as they are: people read them.
func TestErrors(t *testing.T) {
	heaps := []Place{
		{Name: "sessions", Base: 0x7effc8a00000, Bytes: 12 << 20, Backing: "memfd"},
		{Name: "rows", Bytes: 600 << 10, Backing: "anonymous"},
	}
	for want, err := range map[string]error{
		"there is no process 4711: `glassheap ps` lists the processes that have heaps":                    &NotFoundError{PID: 4711},
		"no process can have this id: `glassheap ps` lists the processes that have heaps":                 &NotFoundError{},
		"process 4711 has ended: its memory is gone, unless another process holds the heap's memory file": &NotFoundError{PID: 4711, Ended: true},
		"there is no file x.heap": &NotFoundError{Path: "x.heap"},
		"glassheap can look into a process only on Linux: here it reads cores, heap files and snapshots":             &PlatformError{Wish: "look into a process"},
		"x is neither a heap file, a snapshot nor a core: it is empty":                                               &FormatError{Path: "x", Found: "it is empty"},
		"the snapshot x has version 2 and this glassheap knows up to 1: use a newer glassheap":                       &VersionError{Path: "x", Found: 2, Known: 1},
		"the snapshot x is damaged: the footer's checksum is wrong":                                                  &DamagedError{Path: "x", Reason: "the footer's checksum is wrong"},
		"the snapshot x is damaged: the bytes 0x100000 to 0x101000 of the heap can't be read: the checksum is wrong": &DamagedError{Path: "x", Offset: 1 << 20, Bytes: 4096, Reason: "the checksum is wrong"},
		"process 4711 can't be held still: thread 4715 (state D) did not stop within 2.001s":                         &StopError{PID: 4711, Thread: 4715, State: "D", Waited: 2001 * time.Millisecond},
		"process 4711 can't be held still: thread 4715 (state D) did not stop within 5ms: context canceled":          &StopError{PID: 4711, Thread: 4715, State: "D", Waited: 5 * time.Millisecond, Because: context.Canceled},
		"the snapshot x has lost its end: 7 bytes are there. It was cut off on its way or is still being written; copy it again": &TruncatedError{
			Path: "x", Bytes: 7,
		},
		"cannot look into process 4711 (cacheserver): permission denied (it belongs to user www). Run as that user or root; in a container add CAP_SYS_PTRACE.": &PermissionError{
			Wish: "look into", PID: 4711, Program: "cacheserver", Owner: "www", PtraceScope: -1,
		},
		"cannot stop process 4711 (cacheserver): permission denied (it belongs to you). Run as root; in a container add CAP_SYS_PTRACE. /proc/sys/kernel/yama/ptrace_scope is 1: only a parent may look into its children, and root into all.": &PermissionError{
			Wish: "stop", PID: 4711, Program: "cacheserver", Owner: "me", OwnerIsUs: true, PtraceScope: 1,
		},
		"cannot stop process 4711: permission denied (it belongs to user www). In a container add CAP_SYS_PTRACE. /proc/sys/kernel/yama/ptrace_scope is 3: nobody may, until the next boot.": &PermissionError{
			Wish: "stop", PID: 4711, Owner: "www", AskedByRoot: true, PtraceScope: 3,
		},
		"cannot stop process 4711: process 12 traces it already (a debugger?), and there can be only one. Detach that first.": &PermissionError{
			Wish: "stop", PID: 4711, Tracer: 12,
		},
		"cannot read x.heap: permission denied (it belongs to user www). Run as that user or root.": &PermissionError{
			Wish: "read", Path: "x.heap", Owner: "www", PtraceScope: 1,
		},
		"process 4711 (cacheserver) has no glassheap heap: it has made none yet, has closed it, or is another program than you think": &NoHeapError{
			PID: 4711, Program: "cacheserver",
		},
		`process 4711 (cacheserver) has no heap "row". It has:
    #1   sessions  memfd, 12 MiB at 0x7effc8a00000
    #2   rows      anonymous, 600 KiB`: &NoHeapError{PID: 4711, Program: "cacheserver", Wanted: "row", Places: heaps},
		`process 4711 (cacheserver) has 2 heaps. Choose one by --heap NAME or --heap '#N':
    #1   sessions  memfd, 12 MiB at 0x7effc8a00000
    #2   rows      anonymous, 600 KiB`: &AmbiguousError{PID: 4711, Program: "cacheserver", Places: heaps},
	} {
		require.Equal(t, want, err.Error())
	}
	require.ErrorIs(t, &PermissionError{}, fs.ErrPermission)
	require.ErrorIs(t, &PermissionError{Err: context.Canceled}, context.Canceled)
	require.ErrorIs(t, &NotFoundError{}, fs.ErrNotExist)
	require.ErrorIs(t, &PlatformError{}, errors.ErrUnsupported)
	require.ErrorContains(t, &AmbiguousError{Places: make([]Place, 25)}, "and 5 more")
}
