//go:build !linux

package symbols

import (
	"errors"
	"fmt"
)

// OpenProcess opens the executable that a process runs. Only Linux tells which: the error is an errors.ErrUnsupported.
func OpenProcess(int) (*Table, error) {
	return nil, fmt.Errorf("finding the executable of a process: %w", errors.ErrUnsupported)
}

// OriginOf tells which executable a process runs. Only Linux does: the error is an errors.ErrUnsupported.
func OriginOf(int) (Origin, error) {
	return Origin{}, fmt.Errorf("finding the executable of a process: %w", errors.ErrUnsupported)
}
