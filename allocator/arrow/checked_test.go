package glassheaparrow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

// told is a test that keeps what it was told.
type told struct{ errors []string }

func (*told) Helper() {}

func (t *told) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}

// planted is how a stack shows a line of a test of this package.
func planted(file string, m mark) string { return fmt.Sprintf("%s:%d", file, m.line) }

func TestCheckedCounts(t *testing.T) {
	ours, theirs := NewChecked(), memory.NewCheckedAllocator(memory.NewGoAllocator())
	require.Zero(t, ours.CurrentAlloc())
	ours.AssertSize(t, 0)
	var blocks [][2][]byte
	same := func() {
		t.Helper()
		require.Equal(t, theirs.CurrentAlloc(), ours.CurrentAlloc())
	}
	for _, n := range []int{0, 1, 64, 100, 5000} {
		blocks = append(blocks, [2][]byte{ours.Allocate(n), theirs.Allocate(n)})
		same()
	}
	for i, n := range []int{10, 0, 200, 50, 4000} {
		blocks[i] = [2][]byte{ours.Reallocate(n, blocks[i][0]), theirs.Reallocate(n, blocks[i][1])}
		same()
	}
	ours.AssertSize(t, 10+200+50+4000)
	for _, b := range blocks {
		ours.Free(b[0])
		theirs.Free(b[1])
		same()
	}
	ours.AssertSize(t, 0)
	ours.Free(ours.Reallocate(64, nil))
	ours.AssertSize(t, 0)
}

// TestLeaks are told with the line that allocated them, and what was given back is not.
func TestLeaks(t *testing.T) {
	t.Run("a buffer", func(t *testing.T) {
		c := NewChecked()
		var m mark
		resized(c, 4096).Release()
		b := memory.NewResizableBuffer(c)
		here(&m, b).Resize(100)
		var leaks told
		c.AssertSize(&leaks, 0)
		require.Len(t, leaks.errors, 1)
		require.Contains(t, leaks.errors[0], "invalid memory size exp=0, got=128\nLEAK of 128 bytes in 1 of the heap's blocks FROM")
		require.Contains(t, leaks.errors[0], planted("checked_test.go", m))
		c.AssertSize(t, 128)
		b.Release()
		c.AssertSize(t, 0)
	})
	t.Run("in a builder", func(t *testing.T) {
		c := NewChecked()
		var m mark
		b := array.NewStringBuilder(c)
		here(&m, b).Append("never released") // here its buffers are made
		built := b.NewStringArray()
		built.Release()
		b.Release()
		c.AssertSize(t, 0)

		b = array.NewStringBuilder(c)
		here(&m, b).Append("never released")
		var leaks told
		c.AssertSize(&leaks, 0)
		require.Len(t, leaks.errors, 1)
		require.Contains(t, leaks.errors[0], planted("checked_test.go", m))
		b.Release()
		c.AssertSize(t, 0)
	})
	t.Run("an array that was built", func(t *testing.T) {
		c := NewChecked()
		var m mark
		b := array.NewInt64Builder(c)
		b.AppendValues([]int64{1, 2, 3}, nil)
		built := here(&m, b).NewInt64Array()
		b.Release()
		var leaks told
		c.AssertSize(&leaks, 0)
		require.Len(t, leaks.errors, 1)
		require.Contains(t, leaks.errors[0], planted("checked_test.go", m))
		built.Release()
		c.AssertSize(t, 0)
	})
	t.Run("more places than are shown", func(t *testing.T) {
		c := NewChecked()
		for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11} {
			allocateAt(c, n)
		}
		var leaks told
		c.AssertSize(&leaks, 0)
		require.Len(t, leaks.errors, 1)
		require.Equal(t, mostLeaksShown, strings.Count(leaks.errors[0], "LEAK of"))
		require.Contains(t, leaks.errors[0], "and 1 more places")
	})
}

// allocateAt allocates a byte with a stack that depth makes its own.
func allocateAt(c *Checked, depth int) {
	if depth == 0 {
		c.Allocate(1)
		return
	}
	allocateAt(c, depth-1)
}

// TestCheckedTellsEachBug once, at the next AssertSize, and does not end the test before.
func TestCheckedTellsEachBug(t *testing.T) {
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			c := NewChecked()
			var m mark
			b.plant(c, &m)
			var found told
			c.AssertSize(&found, c.CurrentAlloc())
			if b.kind == allocator.WriteAfterFree {
				require.Zero(t, c.CurrentAlloc(), "only then is it looked for")
			}
			require.NotEmpty(t, found.errors)
			require.Contains(t, found.errors[0], "glassheap: "+string(b.kind))
			require.Contains(t, found.errors[0], planted("bugs_test.go", m))
			var again told
			c.AssertSize(&again, c.CurrentAlloc())
			require.Empty(t, again.errors)
		})
	}
}

// TestDamageOfWhatIsLive is found though nobody frees it.
func TestDamageOfWhatIsLive(t *testing.T) {
	c := NewChecked()
	var m mark
	b := c.Allocate(here(&m, 100))
	write(b, 100)
	var found told
	c.AssertSize(&found, 100)
	require.Len(t, found.errors, 1)
	require.Contains(t, found.errors[0], "glassheap: overflow")
	require.Contains(t, found.errors[0], planted("checked_test.go", m))
}

func TestScope(t *testing.T) {
	c := NewChecked()
	before := resized(c, 64)
	scope := NewScope(c)
	var m mark
	inside := memory.NewResizableBuffer(c)
	here(&m, inside).Resize(200)
	var leaks told
	scope.CheckSize(&leaks)
	require.Len(t, leaks.errors, 1)
	require.Contains(t, leaks.errors[0], "invalid memory size exp=64, got=320")
	require.Contains(t, leaks.errors[0], planted("checked_test.go", m))
	inside.Release()
	scope.CheckSize(t)
	before.Release()
	c.AssertSize(t, 0)
}
