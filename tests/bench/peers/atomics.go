package peers

import (
	"sync"
	"sync/atomic"
)

// Atomic is an operation whose cost, which differs a lot between machines, decides how dear a lock around an allocator is.
type Atomic struct {
	// Name is how tables and benchmarks call it.
	Name string
	// Run does it n times and returns n.
	Run func(n int) int
}

// Atomics are the operations, uncontended. A pair of a peer behind a mutex takes two of the first.
func Atomics() []Atomic {
	return []Atomic{
		{"mutex lock+unlock", lockAndUnlock},
		{"atomic add", add},
	}
}

func lockAndUnlock(n int) int {
	var mutex sync.Mutex
	for range n {
		mutex.Lock()
		//lint:ignore SA2001 the empty section is what is timed
		mutex.Unlock()
	}
	return n
}

func add(n int) int {
	var word atomic.Uint64
	for range n {
		word.Add(1)
	}
	return n
}
