// Command workload does a little with Apache Arrow on glassheap, what its argument names, and releases all of it. Then it says
// "done", waits until its standard input ends, so that somebody may ask about its memory, and closes the heap. An access to memory
// that is inaccessible, and what was not released, are told as reports.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/glassheap/glassheap/allocator"
	glassheaparrow "github.com/glassheap/glassheap/allocator/arrow"
)

var workloads = map[string]func(memory.Allocator) error{
	"few":      few,
	"many":     many,
	"booleans": booleans,
	"buffer":   buffer,
	"packed":   packed,
	"slice":    slice,
}

func main() {
	if len(os.Args) != 2 || workloads[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "workload: name one")
		os.Exit(2)
	}
	var mem glassheaparrow.Allocator
	var err error
	if fault := allocator.CatchFaults(func() { err = workloads[os.Args[1]](&mem) }); fault != nil {
		fmt.Fprintln(os.Stderr, fault)
		os.Exit(1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		os.Exit(1)
	}
	fmt.Println("done")
	io.Copy(io.Discard, os.Stdin)
	if err := mem.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// few makes an array of strings in small blocks, behind one of the same size.
func few(mem memory.Allocator) error {
	before := memory.NewResizableBuffer(mem)
	defer before.Release()
	before.Resize(64)
	return texts(array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary), 100)
}

// many makes an array of strings in large blocks from the start.
func many(mem memory.Allocator) error {
	const n = 20_000
	builder := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
	builder.Reserve(n)
	builder.ReserveData(n * len(text))
	return texts(builder, n)
}

const text = "glassheap"

// texts makes an array of n strings, reads it, and releases all.
func texts(builder *array.BinaryBuilder, n int) error {
	defer builder.Release()
	for range n {
		builder.AppendString(text)
	}
	made := builder.NewBinaryArray()
	defer made.Release()
	total := 0
	for i := range made.Len() {
		total += len(made.Value(i))
	}
	if total != n*len(text) {
		return fmt.Errorf("%d bytes of text", total)
	}
	return nil
}

// booleans makes an array of 5,000 booleans, one by one.
func booleans(mem memory.Allocator) error {
	builder := array.NewBooleanBuilder(mem)
	defer builder.Release()
	for i := range 5000 {
		builder.Append(i%3 == 0)
	}
	builder.NewBooleanArray().Release()
	return nil
}

// packed makes an array of 8,000 booleans at once.
func packed(mem memory.Allocator) error {
	builder := array.NewBooleanBuilder(mem)
	defer builder.Release()
	values := make([]bool, 8000)
	for i := range values {
		values[i] = i%3 == 0
	}
	builder.AppendValues(values, nil)
	builder.NewBooleanArray().Release()
	return nil
}

// buffer resizes one, to nothing as well.
func buffer(mem memory.Allocator) error {
	b := memory.NewResizableBuffer(mem)
	b.Resize(100)
	b.Resize(1000)
	b.Resize(0)
	b.Resize(5000)
	b.Release()
	return nil
}

// slice releases the middle of a buffer after the buffer.
func slice(mem memory.Allocator) error {
	whole := memory.NewResizableBuffer(mem)
	whole.Resize(1000)
	middle := memory.SliceBuffer(whole, 128, 200)
	whole.Release()
	middle.Release()
	return nil
}
