//go:build !unix

package target

import "fmt"

// mostCopiedBytes keeps make from ending the program.
const mostCopiedBytes = 1 << 30

// takeMemory takes memory for a copy.
func takeMemory(size int64) (memory []byte, release func() error, err error) {
	if size > mostCopiedBytes {
		return nil, nil, fmt.Errorf("a copy of %d MiB is too large here", size>>20)
	}
	return make([]byte, size), func() error { return nil }, nil
}
