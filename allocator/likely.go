package allocator

// likely is what most likely led to a violation that left no damage to read it from.
func (v *Violation) likely() string {
	inside := v.Block != 0 && v.Address != v.Block
	switch v.Kind {
	case DoubleFree:
		if v.Freed != nil && v.Now != nil && v.Freed.Goroutine != 0 && v.Freed.Goroutine != v.Now.Goroutine {
			return "two goroutines free the block, each of which takes it for its own"
		}
		return "an error path and a deferred call both free it, or a copy of the slice is freed too"
	case InvalidFree:
		if inside {
			return "a slice that begins behind the block's start (b[n:]) was freed; free what Alloc returned"
		}
		return "an address that was computed, or memory that another allocator or another heap gave out"
	case SizeMismatch:
		return "the slice was cut by a third index (b[:n:m]), or its header was made by hand; free what Alloc returned"
	case UseAfterFree:
		if v.During == "access" {
			return "a slice or a pointer to the block was kept after it was freed"
		}
		return "the slice was kept after it was freed, or after a Realloc that moved the block"
	case OutOfBounds:
		switch behind := int64(v.Address-v.Block) - int64(v.Size); {
		case v.Address < v.Block:
			return "an index below zero, or a pointer that was moved before the block's start"
		case behind == 0:
			return "an index or a loop that runs one element too far"
		}
		return "an index that is not held against the length"
	}
	return ""
}
