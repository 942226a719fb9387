//go:build !linux

package target

import (
	"fmt"
	"math"
)

// takeMemory takes memory for a copy.
func takeMemory(size int64) (memory []byte, release func() error, err error) {
	if size > math.MaxInt {
		return nil, nil, fmt.Errorf("a copy of %d MiB does not fit into the address space", size>>20)
	}
	return make([]byte, size), func() error { return nil }, nil
}
