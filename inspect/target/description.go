package target

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// Kind is what sort of target it is.
type Kind string

const (
	KindProcess  Kind = "process"  // a process that runs or did when it was opened
	KindFile     Kind = "file"     // a heap file
	KindSnapshot Kind = "snapshot" // a snapshot of any other kind
	KindMemory   Kind = "memory"   // bytes in this process
	KindDelve    Kind = "delve"    // a program that stands still in a Delve session
	KindCore     Kind = "core"     // a core of a process
	KindEnded    Kind = "ended"    // a process that has ended, whose heap outlived it
)

// Description says what is looked at, in words. Its texts hold printable characters only, whatever they were called.
type Description struct {
	Kind    Kind      `json:"kind"`
	PID     int       `json:"pid,omitempty"`     // of the owner; of a snapshot: then
	Program string    `json:"program,omitempty"` // name of its executable
	Path    string    `json:"path,omitempty"`    // of the file that was opened
	Heap    string    `json:"heap,omitempty"`    // name, as the kernel, the header or the snapshot has it
	Door    string    `json:"door,omitempty"`    // "memfd", "process_vm_readv", "/proc/PID/mem", "heap file", "snapshot", "core"
	Taken   time.Time `json:"taken,omitzero"`    // when the snapshot was taken

	// Metadata says that the snapshot has no byte that the program kept in its blocks: they read as zeros, all but seals.
	Metadata bool `json:"metadata,omitempty"`
}

// The values of Description.Door.
const (
	doorMemfd         = "memfd"
	doorVMRead        = "process_vm_readv"
	doorProcessMemory = "/proc/PID/mem"
	doorHeapFile      = "heap file"
	doorSnapshot      = "snapshot"
	doorDelve         = "delve"
	doorCore          = "core"
)

// String is the description in one line: "process 4711 (cacheserver)".
func (d Description) String() string {
	switch d.Kind {
	case KindProcess:
		return processName(d.PID, d.Program)
	case KindDelve:
		return processName(d.PID, d.Program) + ", stopped in Delve"
	case KindEnded:
		return processName(d.PID, d.Program) + ", which has ended"
	case KindCore:
		return coreName(d.Path, d.PID, d.Program)
	case KindFile:
		return "heap file " + filepath.Base(d.Path)
	case KindSnapshot:
		text := "snapshot"
		if d.Metadata {
			text = "metadata snapshot"
		}
		if d.Path != "" {
			text += " " + filepath.Base(d.Path)
		}
		if d.PID != 0 {
			text += " of " + processName(d.PID, d.Program)
		}
		if !d.Taken.IsZero() {
			text += ", taken " + d.Taken.UTC().Format("2006-01-02 15:04:05 UTC")
		}
		return text
	}
	return string(d.Kind)
}

// processName is how a process is called in every text of this package.
func processName(pid int, program string) string {
	if program == "" {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("process %d (%s)", pid, program)
}

// coreName is how a core is called likewise: "core core.4711 of process 4711 (cacheserver)".
func coreName(path string, pid int, program string) string {
	text := "core " + printable(filepath.Base(path))
	if pid != 0 {
		text += " of " + processName(pid, program)
	}
	return text
}

// mostNameRunes bounds names that come from elsewhere.
const mostNameRunes = 200

// printable makes a foreign name safe to print: it could carry line breaks or a terminal's control sequences.
func printable(name string) string {
	runes := 0
	return strings.Map(func(r rune) rune {
		if runes++; runes > mostNameRunes {
			return -1
		}
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, name)
}
