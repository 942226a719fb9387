//go:build unix && !linux

package target

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// takeMemory takes memory from the system for a copy.
func takeMemory(size int64) (memory []byte, release func() error, err error) {
	if size == 0 {
		return nil, func() error { return nil }, nil
	}
	if size > math.MaxInt {
		return nil, nil, fmt.Errorf("a copy of %d MiB does not fit into the address space", size>>20)
	}
	memory, err = unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, fmt.Errorf("no memory for a copy of %d MiB: %w", size>>20, err)
	}
	return memory, func() error { return unix.Munmap(memory) }, nil
}
