package target

import (
	"context"
	"fmt"
)

// Rooted is a Target that shows the rest of its owner's memory, too: what may refer to blocks of the heap.
type Rooted interface {
	// Roots calls visit with the owner's writable memory, piece by piece, but for that of the heap itself, and with the registers
	// of its threads while it is held still. A piece is words of 8 bytes and is overwritten after the call. What was never touched
	// is left out. It returns how many bytes there were.
	Roots(ctx context.Context, visit func(piece []byte)) (bytes int64, err error)

	// MissingRoots is how many bytes of that memory are not there to be searched: a core lacks what was not dumped.
	MissingRoots() uint64
}

// rootPiece is how much is copied at a time.
const rootPiece = 1 << 20

// NoRootsError says that a target has the heap's memory only.
type NoRootsError struct {
	Target Description
	Self   bool // it is this program's own: whoever looks for references has copies of them
}

// Error says what to do instead.
func (e *NoRootsError) Error() string {
	switch {
	case e.Self:
		return "a program can't tell what is unreachable in its own heap, for the search itself refers to blocks: ask from another process"
	case e.Target.Kind == KindCore:
		return fmt.Sprintf("%s holds the memory of the heap only, not what refers to it: private memory was not dumped. echo 0x33 > /proc/PID/coredump_filter has it dumped next time (core(5))", e.Target)
	case e.Target.Kind == KindDelve && e.Target.PID != 0:
		return fmt.Sprintf("a Delve session shows the memory of the heap only, not what refers to it: ask the process itself: glassheap leaks --unreachable %d", e.Target.PID)
	}
	return fmt.Sprintf("%s holds the memory of the heap only, not what refers to it: ask the process itself, while it runs", e.Target)
}

// rootsOf are the mappings that can be written to, without the heap's: its range, and whatever else shows its file.
func rootsOf(maps []mapping, base, size uint64) (roots []mapping) {
	type file struct{ device, inode uint64 }
	ours := map[file]bool{}
	for _, m := range maps {
		if m.inode != 0 && m.start < base+size && m.end > base {
			ours[file{m.device, m.inode}] = true
		}
	}
	for _, m := range maps {
		if !m.readable || !m.writable || ours[file{m.device, m.inode}] {
			continue
		}
		// A neighbour of anonymous memory can be one mapping with the heap.
		if before := m; before.start < base {
			before.end = min(before.end, base)
			roots = append(roots, before)
		}
		if after := m; after.end > base+size {
			after.start = max(after.start, base+size)
			roots = append(roots, after)
		}
	}
	return roots
}
