package target

import (
	"errors"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// ErrNoOrigin says that nobody wrote down which program a heap belonged to: that is so with heap files.
var ErrNoOrigin = errors.New("nothing tells which executable the program ran")

// OriginOf tells which executable the owner of a target runs, or ran when the snapshot was taken. It is ErrNoOrigin where
// nothing tells.
func OriginOf(t Target) (symbols.Origin, error) {
	if s, ok := t.(*snapshot); ok {
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
	case d.PID == 0 || d.Kind == KindSnapshot:
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
