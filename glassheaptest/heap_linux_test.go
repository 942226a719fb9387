package glassheaptest

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

// told is a test that is told of failures instead of failing.
type told struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (t *told) Errorf(format string, arguments ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, arguments...))
}
func (t *told) Error(arguments ...any) { t.errors = append(t.errors, fmt.Sprint(arguments...)) }
func (t *told) Cleanup(f func())       { t.cleanups = append(t.cleanups, f) }

// end runs what was left for the end, as testing does, and returns what the test was told.
func (t *told) end() []string {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
	return t.errors
}

func alloc(t testing.TB, h *allocator.Heap, n int) []byte {
	b, err := h.Alloc(n)
	require.NoError(t, err)
	return b
}

// next is the name of the file and the line behind the one that it is called in.
func next() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d\n", filepath.Base(file), line+1)
}

// TestEveryMistakeFails the test that makes it, with the line that made it.
func TestEveryMistakeFails(t *testing.T) {
	var line string
	for name, c := range map[string]struct {
		mistake func(h *allocator.Heap)
		words   []string
	}{
		"none": {func(h *allocator.Heap) { require.NoError(t, h.Free(alloc(t, h, 100))) }, nil},
		"a leak": {func(h *allocator.Heap) {
			line = next()
			alloc(t, h, 123)
		}, []string{"closed with 1 live block", "123 bytes in 1 block"}},
		"a double free": {func(h *allocator.Heap) {
			b := alloc(t, h, 50)
			require.NoError(t, h.Free(b))
			line = next()
			require.Error(t, h.Free(b))
		}, []string{"double-free"}},
		"an overflow that is never freed": {func(h *allocator.Heap) {
			line = next()
			b := alloc(t, h, 77)
			*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), 77)) = 0
		}, []string{"overflow by 1 byte, past a live block of 77", "closed with 1 live block"}},
		"a write after free": {func(h *allocator.Heap) {
			line = next()
			b := alloc(t, h, 77)
			require.NoError(t, h.Free(b))
			b[5] = 1
		}, []string{"written at +5 of a block after it was freed"}},
	} {
		t.Run(name, func(t *testing.T) {
			test := &told{TB: t}
			line = ""
			c.mistake(New(test))
			said := strings.Join(test.end(), "\n")
			if c.words == nil {
				require.Empty(t, said)
			}
			for _, word := range c.words {
				require.Contains(t, said, word)
			}
			require.Contains(t, said, line)
		})
	}
}

// TestParallelTests have a heap each, whatever their names.
func TestParallelTests(t *testing.T) {
	for range 8 {
		t.Run("äöü", func(t *testing.T) {
			t.Parallel()
			first, second := New(t), NewWith(t, allocator.Options{GuardRate: 2})
			require.NotEqual(t, first.Name(), second.Name())
			require.True(t, strings.HasPrefix(first.Name(), "TestParallelTests/"), first.Name())
			require.Equal(t, allocator.ModeAudit, second.Mode())
			for n := range 200 {
				a, b := alloc(t, first, n+1), alloc(t, second, n+1)
				require.NoError(t, first.Free(a))
				require.NoError(t, second.Free(b))
			}
		})
	}
}

// TestNames fit into a heap's header, and are cut between characters.
func TestNames(t *testing.T) {
	for n := range 40 {
		for _, before := range []string{"", "x"} {
			name := distinct(before + strings.Repeat("ä", n))
			require.LessOrEqual(t, len(name), 31)
			require.True(t, utf8.ValidString(name), name)
		}
	}
}

// TestOwnOptions: what a test wants to know of violations it is told, too.
func TestOwnOptions(t *testing.T) {
	test := &told{TB: t}
	var kinds []allocator.Kind
	h := NewWith(test, allocator.Options{Name: "mine", OnViolation: func(v *allocator.Violation) { kinds = append(kinds, v.Kind) }})
	require.True(t, strings.HasPrefix(h.Name(), "mine "))
	b := alloc(t, h, 10)
	require.NoError(t, h.Free(b))
	require.Error(t, h.Free(b))
	require.Equal(t, []allocator.Kind{allocator.DoubleFree}, kinds)
	require.Len(t, test.end(), 1)

	require.Panics(t, func() { NewWith(&fatal{told{TB: t}}, allocator.Options{ReserveBytes: -1}) })
}

// fatal is a test that panics where others stop.
type fatal struct{ told }

func (*fatal) Fatal(arguments ...any) { panic(fmt.Sprint(arguments...)) }
