package target

import (
	"errors"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// ErrNoOrigin says that nobody wrote down which program a heap belonged to: that is so with heap files, and with cores that hold neither
// the mapped files' names nor the program's first page.
var ErrNoOrigin = errors.New("nothing tells which executable the program ran")

// OriginOf tells which executable the owner of a target runs, or ran when the snapshot was taken or the core was made. It is ErrNoOrigin where
// nothing tells.
func OriginOf(t Target) (symbols.Origin, error) {
	switch s := t.(type) {
	case *coreTarget:
		return s.origin()
	case interface {
		originOfEnded() (symbols.Origin, error)
	}:
		return s.originOfEnded()
	case *snapshot:
		if s.info.BuildID == "" {
			return symbols.Origin{}, ErrNoOrigin
		}
		return symbols.Origin{BuildID: s.info.BuildID, Entry: s.info.Entry}, nil
	}
	if pid := OwnerOf(t); pid != 0 {
		return symbols.OriginOf(pid)
	}
	return symbols.Origin{}, ErrNoOrigin
}

// OwnerOf is the id of the process that owns the heap, as far as it is a process of this machine; 0: it is not, or it is gone.
// A debugger's program is one when it has a heap at the same address.
func OwnerOf(t Target) int {
	d := t.Description()
	switch {
	case d.PID == 0 || d.Kind == KindSnapshot || d.Kind == KindCore:
		return 0
	case d.Kind == KindProcess:
		return d.PID
	}
	places, err := FindHeaps(d.PID)
	if err != nil {
		return 0
	}
	for _, p := range places {
		if p.Base != 0 && p.Base == t.Base() {
			return d.PID
		}
	}
	return 0
}
