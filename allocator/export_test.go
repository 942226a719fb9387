package allocator

// MoveSeals makes the seals of a heap in which nothing was allocated yet those that it would have with this secret if its data
// lay at this address, a multiple of an arena. It returns where the heap lies.
func MoveSeals(h *Heap, data, secret uint64) (base, bytes, from uint64) {
	h.secret = secret ^ h.data ^ data // a seal depends on address ^ secret
	return h.baseAddress, h.memory.bytes, h.data
}

// CachesBelongToPs is false where goroutines can't be pinned.
func CachesBelongToPs() bool { return cachesWanted(1) == 1 }
