package target

import (
	"errors"

	"github.com/glassheap/glassheap/allocator/layout"
)

// ErrNotArmable is the error of Arm for a heap whose program did not allow it (allocator.Options.Armable).
var ErrNotArmable = errors.New("the program does not let other processes change this heap: it has to set allocator.Options.Armable, or start with GLASSHEAP=armable=yes")

// Armed is what has become of a heap that was armed.
type Armed struct {
	Heap      string      `json:"heap"`
	Mode      layout.Mode `json:"-"`
	ModeName  string      `json:"mode"`
	GuardRate uint64      `json:"guard_rate"` // one of this many allocations is guarded; 0: none
}
