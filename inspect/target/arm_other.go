//go:build !linux

package target

import (
	"context"
	"errors"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Arm works on Linux only.
func Arm(context.Context, int, Options, layout.Wish) (Armed, error) {
	return Armed{}, errors.New("a heap can be changed from outside on Linux only")
}
