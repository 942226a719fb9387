//go:build cgo

package peers

import (
	"sync"
	"unsafe"
)

// byC makes a peer's open of an allocator that is looked for once.
func byC(find func() (cAllocator, error)) opener {
	find = sync.OnceValues(find)
	return func() (tasks, closer, error) {
		c, err := find()
		if err != nil {
			return nil, nil, err
		}
		return over[unsafe.Pointer]{c}, func() error { return nil }, nil
	}
}

var (
	openMalloc   = byC(findMalloc)
	openMimalloc = byC(findMimalloc)
	openTcmalloc = byC(findTcmalloc)
	openCalloc   = byC(findCalloc)
)
