package glassheaparrow_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/glassheap/glassheap/allocator"
	glassheaparrow "github.com/glassheap/glassheap/allocator/arrow"
)

// The zero value makes its heap with the first buffer.
func Example() {
	var mem glassheaparrow.Allocator
	defer mem.Close()
	builder := array.NewInt64Builder(&mem)
	defer builder.Release()
	builder.AppendValues([]int64{1, 2, 3}, nil)
	values := builder.NewInt64Array()
	defer values.Release()
	fmt.Println(values)
	// Output: [1 2 3]
}

// A heap of one's own has the options that one wishes. Here a violation comes to a function instead of a panic.
func ExampleNew() {
	heap, err := allocator.New(allocator.Options{Name: "columns", LimitBytes: 64 << 20, OnViolation: func(v *allocator.Violation) {
		fmt.Println(v.Kind, "during", v.During)
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer heap.Close()
	mem := glassheaparrow.New(heap)
	data := mem.Allocate(100)
	mem.Free(data)
	mem.Free(data)
	// Output: double-free during free
}

// What is live when the Allocator is closed is its error, by who allocated it where the heap was audited.
func ExampleAllocator_Close() {
	var mem glassheaparrow.Allocator
	buffer := memory.NewResizableBuffer(&mem)
	buffer.Resize(1000) // and no Release
	leak := (*allocator.LeakError)(nil)
	fmt.Println(errors.As(mem.Close(), &leak), leak.Blocks)
	// Output: true 1
}

// printed is a test that prints the first line of what it is told. In a test, give AssertSize the *testing.T.
type printed struct{}

func (printed) Helper() {}

func (printed) Errorf(format string, args ...any) {
	first, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	fmt.Println(first)
}

// In a test, NewChecked stands where memory.NewCheckedAllocator(memory.NewGoAllocator()) stood.
func ExampleNewChecked() {
	mem := glassheaparrow.NewChecked()
	buffer := memory.NewResizableBuffer(mem)
	buffer.Resize(1000)
	mem.AssertSize(printed{}, 0)
	buffer.Release()
	mem.AssertSize(printed{}, 0)
	// Output: invalid memory size exp=0, got=1024
}
