package memory

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/stretchr/testify/require"
)

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

func hexOf(p *int64) string { return fmt.Sprintf("%#x", uintptr(unsafe.Pointer(p))) }

// bug is a mistake in the use of an Allocator. Its planted calls mark: the very line whose stack must be told.
type bug struct {
	name string
	kind allocator.Kind
	// told is which of the three stacks must show the line: "allocated", "freed" or "now".
	told  string
	plant func(a *Allocator, m *mark)
}

// mark remembers a line of this file.
type mark struct{ line int }

// here is called on the line to remember, and lets what is written there go through.
func (m *mark) here() *mark {
	_, _, m.line, _ = runtime.Caller(1)
	return m
}

func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

func write(p uintptr, offset int) { *(*byte)(unsafe.Add(address(p), offset)) = 0x41 }

// malloc, calloc, realloc and free are how the planted programs call, so that a line holds one call and its mark.
func malloc(_ *mark, a *Allocator, n int) uintptr {
	return must(a.UintptrMalloc(n))
}

func calloc(_ *mark, a *Allocator, n int) uintptr {
	return must(a.UintptrCalloc(n))
}

func realloc(_ *mark, a *Allocator, p uintptr, n int) uintptr {
	return must(a.UintptrRealloc(p, n))
}

func free(_ *mark, a *Allocator, p uintptr) { must(0, a.UintptrFree(p)) }

var bugs = []bug{
	{"one byte past the end", allocator.Overflow, "allocated", func(a *Allocator, m *mark) {
		p := malloc(m.here(), a, 25)
		write(p, 25)
		free(m, a, p)
	}},
	{"a terminator past a block that fills its class", allocator.Overflow, "allocated", func(a *Allocator, m *mark) {
		p := calloc(m.here(), a, 24)
		write(p, 24)
		free(m, a, p)
	}},
	{"past the end of what realloc made", allocator.Overflow, "allocated", func(a *Allocator, m *mark) {
		p := realloc(m.here(), a, malloc(m, a, 10), 1000)
		write(p, 1000)
		free(m, a, p)
	}},
	{"past the end of a large block", allocator.Overflow, "allocated", func(a *Allocator, m *mark) {
		p := malloc(m.here(), a, 100000)
		write(p, 100000)
		free(m, a, p)
	}},
	{"before the start", allocator.Underflow, "now", func(a *Allocator, m *mark) {
		malloc(m, a, 40)
		p := malloc(m, a, 40)
		write(p, -1)
		free(m.here(), a, p)
	}},
	{"freed twice", allocator.DoubleFree, "now", func(a *Allocator, m *mark) {
		p := malloc(m, a, 40)
		free(m, a, p)
		free(m.here(), a, p)
	}},
	{"freed too early, by the first of two owners", allocator.DoubleFree, "freed", func(a *Allocator, m *mark) {
		p := malloc(m, a, 5000)
		free(m.here(), a, p)
		free(m, a, p)
	}},
	{"written after it was freed", allocator.WriteAfterFree, "freed", func(a *Allocator, m *mark) {
		p := malloc(m, a, 40)
		free(m.here(), a, p)
		write(p, 3)
		must(0, a.Trim())
	}},
	{"enlarged after it was freed", allocator.UseAfterFree, "now", func(a *Allocator, m *mark) {
		p := malloc(m, a, 40)
		free(m, a, p)
		realloc(m.here(), a, p, 80)
	}},
	{"an address inside of a block freed", allocator.InvalidFree, "now", func(a *Allocator, m *mark) {
		p := malloc(m, a, 400)
		free(m.here(), a, p+16)
	}},
}

func TestPlantedBugs(t *testing.T) {
	t.Setenv(allocator.Environment, "mode=audit")
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			var a Allocator
			var m mark
			v := violation(t, func() { b.plant(&a, &m) })
			require.Equal(t, b.kind, v.Kind)
			stack := map[string]*allocator.Operation{"allocated": v.Allocated, "freed": v.Freed, "now": v.Now}[b.told]
			require.NotNil(t, stack, v.Error())
			requireLine(t, stack, m.line)
			closeQuietly(&a)
		})
	}
}

// TestPlantedLeak: a missing free, with the place that allocated the block.
func TestPlantedLeak(t *testing.T) {
	t.Setenv(allocator.Environment, "mode=audit")
	var a Allocator
	var m mark
	free(&m, &a, malloc(&m, &a, 100))
	malloc(m.here(), &a, 77)
	var leak *allocator.LeakError
	require.ErrorAs(t, a.Close(), &leak)
	require.EqualValues(t, 1, leak.Blocks)
	require.EqualValues(t, 77, leak.Leaks[0].Bytes)
	requireLine(t, leak.Leaks[0].Allocated, m.line)
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
