package mtrace

// Op is what the recorded program did. Its value is the letter in the recording.
type Op byte

const (
	Alloc         Op = '+' // malloc, calloc, memalign, and realloc of a null pointer
	Free          Op = '-' // free, and realloc to no bytes
	Realloc       Op = '<' // a realloc that gave a block; the recording spends two lines on it
	FailedRealloc Op = '!' // a realloc that gave none: the old block stays as it was
)

// Event is one thing that the recorded program did.
type Event struct {
	Op      Op
	Caller  CallerID // who asked for it: Reader.Caller has the name
	Line    int      // in the uncompressed recording, from 1; of a Realloc the second one
	Address uint64   // the block, where the program had it; 0 in an Alloc that failed, and in a free of a null pointer
	Old     uint64   // Realloc: where the block was before, often the same address
	Size    uint64   // bytes asked for; a Free has none
}
