package replay

import (
	"fmt"

	"github.com/glassheap/glassheap/internal/mtrace"
)

// DamageError says that a block's bytes are not those that the replay wrote, although nobody else may write there.
type DamageError struct {
	Line      int    // of the recording: the event that found it; of a block that is released at the end, its alloc
	When      string // "before free", "before realloc", "after realloc"
	Traced    uint64 // the block's address in the recorded program
	Address   uint64 // in the heap
	Size      int    // bytes of the block
	Offset    int    // of the first byte that is wrong
	Found     byte
	Expected  byte
	AllocLine int    // of the recording: where the block was allocated
	AllocBy   string // by whom, as the recording names it; empty: it does not
}

// Error says which byte of which block is wrong.
func (e *DamageError) Error() string {
	by := ""
	if e.AllocBy != "" {
		by = " by " + e.AllocBy
	}
	return fmt.Sprintf("line %d: contents damaged, found %s: byte %d of the %d at %#x is %#02x instead of %#02x (block %#x of the recording, allocated in line %d%s)",
		e.Line, e.When, e.Offset, e.Size, e.Address, e.Found, e.Expected, e.Traced, e.AllocLine, by)
}

// HeapError is an error of the heap, with the event that met it. Unwrap gives the heap's error, often an
// *allocator.Violation.
type HeapError struct {
	Line   int    // of the recording; of a block that is released at the end, its alloc
	During string // "alloc", "free", "realloc"
	Traced uint64 // the block's address in the recorded program, before the event
	Size   uint64 // bytes that were asked for; of a free those that the block had
	Err    error
}

// Error says which event failed, and why.
func (e *HeapError) Error() string {
	return fmt.Sprintf("line %d: %s of block %#x of the recording, %d bytes: %v", e.Line, e.During, e.Traced, e.Size, e.Err)
}

// Unwrap is the heap's error.
func (e *HeapError) Unwrap() error { return e.Err }

// failure is an error on its way from a worker to Run.
type failure struct {
	line  int
	block *block
	err   error
}

func refused(s *step, during string, err error) *failure {
	return &failure{line: s.line, block: s.block, err: &HeapError{Line: s.line, During: during, Traced: s.address, Size: s.size, Err: err}}
}

// name adds what only the recording's reader knows.
func (f *failure) name(reader *mtrace.Reader) error {
	if damage, ok := f.err.(*DamageError); ok && reader != nil {
		damage.AllocBy = reader.Caller(f.block.caller)
	}
	return f.err
}
