package target

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// takeMemory takes memory from the system for a copy.
func takeMemory(size int64) (memory []byte, release func() error, err error) {
	if size == 0 {
		return nil, func() error { return nil }, nil
	}
	if available, known := memoryAvailable(); known && size > available {
		return nil, nil, fmt.Errorf("a copy takes %d MiB of memory, and %d MiB are available", size>>20, available>>20)
	}
	if size > math.MaxInt {
		return nil, nil, fmt.Errorf("a copy of %d MiB does not fit into the address space", size>>20)
	}
	memory, err = unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, fmt.Errorf("no memory for a copy of %d MiB: %w", size>>20, err)
	}
	// One fault for 2 MiB instead of 512, and no heap in a core file of ours. Where that can't be had, it is merely slower.
	_ = unix.Madvise(memory, unix.MADV_HUGEPAGE)
	_ = unix.Madvise(memory, unix.MADV_DONTDUMP)
	return memory, func() error { return unix.Munmap(memory) }, nil
}

// memoryAvailable is how many bytes can be taken before the machine gets into trouble, a memory cgroup left aside.
func memoryAvailable() (size int64, known bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) > 1 && string(fields[0]) == "MemAvailable:" {
			kib, err := strconv.ParseInt(string(fields[1]), 10, 64)
			return kib << 10, err == nil && kib < math.MaxInt64>>10
		}
	}
	return 0, false
}
