package memory

import (
	"fmt"
	"os"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/arrow"
	"github.com/glassheap/glassheap/allocator/layout"
)

// GoAllocator is on a glassheap here, one for all of them.
type GoAllocator struct{}

func NewGoAllocator() *GoAllocator { return &GoAllocator{} }

var onGlassheap = glassheaparrow.New(heapInFile())

// heapInFile makes a heap that can be looked at when the program has ended.
func heapInFile() *allocator.Heap {
	h, err := allocator.New(allocator.Options{
		Name: "arrow", StackDepth: layout.MaxStackDepth,
		Backing: allocator.BackingFile, Path: fmt.Sprintf("%s/%d.heap", os.Getenv("GLASSHEAP_TEST_FOLDER"), os.Getpid()),
	})
	if err != nil {
		panic(err)
	}
	return h
}

func (*GoAllocator) Allocate(size int) []byte             { return onGlassheap.Allocate(size) }
func (*GoAllocator) Reallocate(size int, b []byte) []byte { return onGlassheap.Reallocate(size, b) }
func (*GoAllocator) Free(b []byte)                        { onGlassheap.Free(b) }

var _ Allocator = (*GoAllocator)(nil)
