//go:build !linux

package target

import (
	"context"
	"errors"

	"github.com/glassheap/glassheap/allocator/layout"
)

// ErrNotArmable is the error of Arm for a heap whose program did not allow it.
var ErrNotArmable = errors.New("the program does not let other processes change this heap")

// Armed is what has become of a heap that was armed.
type Armed struct {
	Heap      string      `json:"heap"`
	Mode      layout.Mode `json:"-"`
	ModeName  string      `json:"mode"`
	GuardRate uint64      `json:"guard_rate"`
}

// Arm works on Linux only.
func Arm(context.Context, int, Options, layout.Wish) (Armed, error) {
	return Armed{}, errors.New("a heap can be changed from outside on Linux only")
}
