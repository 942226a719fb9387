package memory

import (
	"os"

	"github.com/glassheap/glassheap/allocator/arrow"
)

// GoAllocator is, for a benchmark, the allocator that the environment names. The module's own is called originalAllocator here.
type GoAllocator struct{}

func NewGoAllocator() *GoAllocator { return &GoAllocator{} }

var chosen Allocator

// choices are all of them. C's is one where there is cgo.
var choices = map[string]func() Allocator{
	"go":        func() Allocator { return &originalAllocator{} },
	"glassheap": func() Allocator { return new(glassheaparrow.Allocator) },
}

func init() {
	name := os.Getenv("ARROW_BENCHMARK_ALLOCATOR")
	choice, known := choices[name]
	if !known {
		os.Stderr.WriteString("there is no allocator " + name + "\n")
		os.Exit(2)
	}
	chosen = choice()
}

func (*GoAllocator) Allocate(size int) []byte             { return chosen.Allocate(size) }
func (*GoAllocator) Reallocate(size int, b []byte) []byte { return chosen.Reallocate(size, b) }
func (*GoAllocator) Free(b []byte)                        { chosen.Free(b) }

var _ Allocator = (*GoAllocator)(nil)
