package glassheaparrow

import (
	"errors"
	"runtime"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

// bug is a mistake in code that uses Arrow. Its planted calls mark: the very line whose stack must be told.
type bug struct {
	name string
	kind allocator.Kind
	// told is which of the three stacks must show the line: "allocated", "freed" or "now".
	told  string
	plant func(mem memory.Allocator, m *mark)
}

// mark remembers a line of this file.
type mark struct{ line int }

// here is called on the line to remember, and lets what is written there go through.
func here[T any](m *mark, v T) T {
	_, _, m.line, _ = runtime.Caller(1)
	return v
}

// write writes a byte at an offset from the start of b, wherever that is.
func write(b []byte, offset int) {
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), offset)) = 0x41
}

// resized is a Buffer of n bytes.
func resized(mem memory.Allocator, n int) *memory.Buffer {
	b := memory.NewResizableBuffer(mem)
	b.Resize(n)
	return b
}

var bugs = []bug{
	{"past the end of a buffer", allocator.Overflow, "allocated", func(mem memory.Allocator, m *mark) {
		b := memory.NewResizableBuffer(mem)
		here(m, b).Resize(128)
		write(b.Bytes(), 128)
		b.Release()
	}},
	{"past the end of a large buffer", allocator.Overflow, "allocated", func(mem memory.Allocator, m *mark) {
		b := memory.NewResizableBuffer(mem)
		here(m, b).Resize(100_000)
		write(b.Buf(), len(b.Buf()))
		b.Release()
	}},
	{"into the slack of what was allocated directly", allocator.Overflow, "allocated", func(mem memory.Allocator, m *mark) {
		b := mem.Allocate(here(m, 10))
		write(b, 12)
		mem.Free(b)
	}},
	{"an element too many of a builder", allocator.Overflow, "allocated", func(mem memory.Allocator, m *mark) {
		b := array.NewInt64Builder(mem)
		b.Reserve(64)
		for i := range 64 {
			b.UnsafeAppend(int64(i))
		}
		values := here(m, b).NewInt64Array() // moves them to where they fit
		b.Release()
		write(values.Data().Buffers()[1].Bytes(), 64*8)
		values.Release()
	}},
	{"before the start of a buffer", allocator.Underflow, "now", func(mem memory.Allocator, m *mark) {
		resized(mem, 128)
		b := resized(mem, 128)
		write(b.Bytes(), -1)
		here(m, b).Release()
	}},
	{"freed twice", allocator.DoubleFree, "now", func(mem memory.Allocator, m *mark) {
		b := mem.Allocate(64)
		mem.Free(b)
		mem.Free(here(m, b))
	}},
	{"two owners of one slice, the first of which freed it", allocator.DoubleFree, "freed", func(mem memory.Allocator, m *mark) {
		data := mem.Allocate(5000)
		first, second := memory.NewBufferWithAllocator(data, mem), memory.NewBufferWithAllocator(data, mem)
		here(m, first).Release()
		second.Release()
	}},
	{"written after its last release", allocator.WriteAfterFree, "freed", func(mem memory.Allocator, m *mark) {
		b := resized(mem, 256)
		values := b.Bytes()
		here(m, b).Release()
		values[3] = 1
	}},
	{"released twice by one of two holders, written by the other", allocator.WriteAfterFree, "freed", func(mem memory.Allocator, m *mark) {
		b := resized(mem, 256)
		b.Retain() // for the second holder
		values := b.Bytes()
		b.Release()
		here(m, b).Release()
		values[0] = 1
	}},
	{"the old slice written after Reallocate", allocator.WriteAfterFree, "freed", func(mem memory.Allocator, m *mark) {
		old := mem.Allocate(64)
		b := mem.Reallocate(128, here(m, old))
		old[8] = 1
		mem.Free(b)
	}},
	{"a buffer's old bytes written after it grew", allocator.WriteAfterFree, "freed", func(mem memory.Allocator, m *mark) {
		b := resized(mem, 64)
		values := b.Bytes()
		here(m, b).Resize(4096)
		values[1] = 1
		b.Release()
	}},
	{"reallocated after it was freed", allocator.UseAfterFree, "now", func(mem memory.Allocator, m *mark) {
		b := mem.Allocate(64)
		mem.Free(b)
		mem.Reallocate(128, here(m, b))
	}},
	{"a re-slice that begins later freed", allocator.InvalidFree, "now", func(mem memory.Allocator, m *mark) {
		b := mem.Allocate(400)
		mem.Free(here(m, b[64:]))
	}},
	{"a re-slice of less capacity freed", allocator.SizeMismatch, "now", func(mem memory.Allocator, m *mark) {
		b := mem.Allocate(400)
		mem.Free(here(m, b[:64:64]))
	}},
	{"a slice of Go's given to be freed", allocator.InvalidFree, "now", func(mem memory.Allocator, m *mark) {
		b := memory.NewBufferWithAllocator(make([]byte, 100), mem)
		here(m, b).Release()
	}},
	{"what append had moved out of the block freed", allocator.InvalidFree, "now", func(mem memory.Allocator, m *mark) {
		b := append(mem.Allocate(64), 1)
		mem.Free(here(m, b))
	}},
}

// violation runs f and returns the violation that it panics with.
func violation(t *testing.T, f func()) (v *allocator.Violation) {
	t.Helper()
	defer func() {
		t.Helper()
		err, _ := recover().(error)
		require.True(t, errors.As(err, &v), "no violation was found")
	}()
	f()
	return nil
}

func TestPlantedBugs(t *testing.T) {
	t.Setenv(allocator.Environment, "mode=audit")
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			var a Allocator
			var m mark
			v := violation(t, func() {
				b.plant(&a, &m)
				_ = a.Close() // what was written after it was freed is found here at the latest
			})
			require.Equal(t, b.kind, v.Kind, v.Error())
			stack := map[string]*allocator.Operation{"allocated": v.Allocated, "freed": v.Freed, "now": v.Now}[b.told]
			require.NotNil(t, stack, v.Error())
			requireLine(t, stack, m.line)
			closeQuietly(&a)
		})
	}
}

// TestPlantedBugsSealed: what needs no stacks is found in sealed mode too.
func TestPlantedBugsSealed(t *testing.T) {
	t.Setenv(allocator.Environment, "mode=sealed")
	for _, b := range bugs {
		switch b.kind {
		case allocator.Overflow, allocator.Underflow, allocator.InvalidFree, allocator.SizeMismatch:
			t.Run(b.name, func(t *testing.T) {
				var a Allocator
				v := violation(t, func() { b.plant(&a, &mark{}) })
				require.Equal(t, b.kind, v.Kind, v.Error())
				closeQuietly(&a)
			})
		}
	}
}

func requireLine(t *testing.T, o *allocator.Operation, line int) {
	t.Helper()
	require.NotZero(t, line)
	for _, f := range o.Frames() {
		if f.Line == line {
			return
		}
	}
	require.Fail(t, "the stack does not show the planted line", "line %d: %v", line, o.Frames())
}

// closeQuietly gives back the memory of a heap that was damaged on purpose.
func closeQuietly(a *Allocator) {
	defer func() { _ = recover() }()
	_ = a.Close()
}
