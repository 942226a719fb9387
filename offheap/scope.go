package offheap

import (
	"errors"
	"reflect"
	"runtime"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// Scope is an arena for what is freed together: byte strings, strings and slices, cut one after the other from chunks. Make one with
// NewScope; it must be freed. It is not safe for concurrent use.
//
// Each chunk is a block of the heap, and so is each request of more than a quarter of a chunk. In audit mode they are shown as
// allocated by whoever made the Scope, so that all of a Scope are one group for `glassheap leaks`. What lies in one chunk has no seals
// in between: a write past its end into what follows is found at the chunk's end only. With the option Apart it is.
type Scope struct {
	_          noCopy
	heap       *allocator.Heap // nil: it was freed
	owner      *allocator.Owner
	chunkBytes int
	apart      bool
	chunks     [][]byte // the last one is being filled
	alone      [][]byte // blocks of one request each
	at         int      // where the free part of the last chunk begins
	used, held int
	report     ReportLost
	claim      *claim
}

// ScopeOption is an option of NewScope.
type ScopeOption interface{ applyTo(*Scope) }

// ChunkBytes is the option that says how large the chunks of a Scope are; default 16376 B, at least 64 B. With its seal of 8 bytes, the
// default fills a size class.
type ChunkBytes int

func (n ChunkBytes) applyTo(s *Scope) { s.chunkBytes = max(int(n), leastChunkBytes) }

// Apart is the option to give each request a block of its own, so that the heap watches over each: for the search of an error, in
// tests. true: each.
type Apart bool

func (a Apart) applyTo(s *Scope) { s.apart = bool(a) }

const (
	defaultChunkBytes = 16<<10 - 8
	leastChunkBytes   = 64
	scopeAlignment    = 8 // of what is no byte string; Go needs no more
)

// NewScope makes a Scope. It takes no memory of the heap until something is allocated in it.
func NewScope(h *allocator.Heap, options ...ScopeOption) *Scope {
	s := &Scope{heap: h, owner: allocator.NewOwner(), chunkBytes: defaultChunkBytes}
	for _, o := range options {
		o.applyTo(s)
	}
	s.claim = stake(s, "Scope", 0, s.owner, s.report)
	return s
}

// Alloc returns n bytes, whose contents are not defined, as a slice whose length and capacity are n. They are aligned to no more than
// a byte. Errors are those of Heap.Alloc.
func (s *Scope) Alloc(n int) ([]byte, error) { return s.alloc("Alloc", n, 1) }

// Copy returns a copy of b.
func (s *Scope) Copy(b []byte) ([]byte, error) {
	kept, err := s.alloc("Copy", len(b), 1)
	copy(kept, b)
	return kept, err
}

// CopyString returns a copy of text. It is a string like any other until the Scope is freed or reset; then it must not be used.
func (s *Scope) CopyString(text string) (string, error) {
	kept, err := s.alloc("CopyString", len(text), 1)
	copy(kept, text)
	return unsafe.String(unsafe.SliceData(kept), len(kept)), err
}

// MakeIn returns n zeroed elements of T in a Scope. A T that contains Go pointers is refused as by allocator.Make.
func MakeIn[T any](s *Scope, n int) ([]T, error) {
	if s.heap == nil {
		return nil, freed("MakeIn["+reflect.TypeFor[T]().String()+"]", "Scope")
	}
	if _, err := allocator.Make[T](s.heap, 0); err != nil {
		return nil, err
	}
	bytes, err := bytesFor[T](s.heap, n)
	if err != nil {
		return nil, err
	}
	if bytes == 0 {
		return make([]T, n), nil
	}
	b, err := s.alloc("MakeIn", bytes, scopeAlignment)
	if err != nil {
		return nil, err
	}
	clear(b)
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n), nil
}

// NewIn returns one zeroed T in a Scope, as MakeIn does.
func NewIn[T any](s *Scope) (*T, error) {
	one, err := MakeIn[T](s, 1)
	if err != nil {
		return nil, err
	}
	return unsafe.SliceData(one), nil
}

func (s *Scope) alloc(call string, n, align int) ([]byte, error) {
	if s.heap == nil {
		return nil, freed(call, "Scope")
	}
	if n == 0 {
		return []byte{}, nil
	}
	if n < 0 || s.apart || n > s.chunkBytes/4 {
		return s.block(&s.alone, n, n)
	}
	at := (s.at + align - 1) &^ (align - 1)
	if len(s.chunks) == 0 || n > s.chunkBytes-at {
		if _, err := s.block(&s.chunks, s.chunkBytes, 0); err != nil {
			return nil, err
		}
		at = 0
	}
	s.at, s.used = at+n, s.used+n
	return s.chunks[len(s.chunks)-1][at : at+n : at+n], nil
}

// block adds a block of n bytes to a list, of which so many are used at once.
func (s *Scope) block(list *[][]byte, n, used int) ([]byte, error) {
	b, err := s.heap.AllocFor(s.owner, n)
	if err != nil {
		return nil, err
	}
	*list = append(*list, b)
	s.used, s.held = s.used+used, s.held+n
	s.claim.holds(s.held)
	return b, nil
}

// Used is how many bytes were asked for since the Scope was made or reset. It panics with ErrFreed after Free, as Held does.
func (s *Scope) Used() int {
	if s.heap == nil {
		panic(freed("Used", "Scope"))
	}
	return s.used
}

// Held is how many bytes of the heap the Scope has.
func (s *Scope) Held() int {
	if s.heap == nil {
		panic(freed("Held", "Scope"))
	}
	return s.held
}

// Reset frees everything in the Scope, which can then be used anew. The first chunk is kept for that, and written over in audit mode.
// A violation in one block, as in Heap.Free, keeps none of the others from being freed.
func (s *Scope) Reset() error {
	if s.heap == nil {
		return freed("Reset", "Scope")
	}
	var kept [][]byte
	if len(s.chunks) > 0 {
		kept = s.chunks[:1:1]
		s.chunks = s.chunks[1:]
		if s.heap.Mode() == allocator.ModeAudit {
			for i := range kept[0] {
				kept[0][i] = layout.PoisonByte
			}
		}
	}
	err := s.freeAll()
	s.chunks = kept
	for _, b := range kept {
		s.held = len(b)
	}
	s.claim.holds(s.held)
	return err
}

// Free gives back everything. A second Free returns ErrFreed. A violation in one block, as in Heap.Free, keeps none of the others from
// being freed.
func (s *Scope) Free() error {
	if s.heap == nil {
		return freed("Free", "Scope")
	}
	s.claim.end()
	err := s.freeAll()
	s.heap = nil
	runtime.KeepAlive(s)
	return err
}

func (s *Scope) freeAll() error {
	var errs []error
	for _, list := range [][][]byte{s.chunks, s.alone} {
		for _, b := range list {
			errs = append(errs, s.heap.Free(b))
		}
	}
	s.chunks, s.alone, s.at, s.used, s.held = nil, nil, 0, 0, 0
	return errors.Join(errs...)
}
