package glassheaparrow

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

var (
	_ memory.Allocator = (*Allocator)(nil)
	_ memory.Allocator = (*Checked)(nil)
	_ TestingT         = memory.TestingT(nil)
	_ memory.TestingT  = TestingT(nil)
)

// eachMode runs a test on an Allocator of each mode, which has to be empty at its end.
func eachMode(t *testing.T, test func(t *testing.T, a *Allocator)) {
	for _, mode := range []string{"plain", "sealed", "audit"} {
		t.Run(mode, func(t *testing.T) {
			t.Setenv(allocator.Environment, "mode="+mode)
			var a Allocator
			test(t, &a)
			if h := a.heap.Load(); h != nil {
				require.Zero(t, h.Stats().LiveBlocks)
			}
			require.NoError(t, a.Close())
		})
	}
}

// sizes lie on both sides of where classes, pages and spans begin and end.
var sizes = []int{1, 7, 8, 33, 63, 64, 65, 128, 200, 4096, 4097, 8192, 32<<10 - 64, 32<<10 - 1, 32 << 10, 32<<10 + 1, 100_000, 1 << 20, 3<<20 + 5}

func counting(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + 1)
	}
	return b
}

func TestAllocate(t *testing.T) {
	eachMode(t, func(t *testing.T, a *Allocator) {
		for _, n := range sizes {
			for range 3 { // so that some lie where others lay
				b := a.Allocate(n)
				require.Len(t, b, n)
				require.Equal(t, n, cap(b))
				require.Zero(t, addressOf(b)%64, "%d bytes", n)
				require.Zero(t, len(bytes.Trim(b, "\x00")), "%d bytes are not all zero", n)
				copy(b, counting(n))
				a.Free(b)
			}
		}
	})
}

func TestReallocate(t *testing.T) {
	eachMode(t, func(t *testing.T, a *Allocator) {
		for _, from := range sizes {
			for _, to := range sizes {
				b := a.Allocate(from)
				copy(b, counting(from))
				b = a.Reallocate(to, b)
				require.Len(t, b, to)
				require.Zero(t, addressOf(b)%64)
				both := min(from, to)
				require.True(t, bytes.Equal(counting(both), b[:both]), "%d to %d bytes", from, to)
				require.Zero(t, len(bytes.Trim(b[both:], "\x00")), "%d to %d bytes: what is new is not all zero", from, to)
				a.Free(b)
			}
		}
	})
}

func TestNothing(t *testing.T) {
	eachMode(t, func(t *testing.T, a *Allocator) {
		for _, b := range [][]byte{a.Allocate(0), a.Reallocate(0, nil)} {
			require.NotNil(t, b)
			require.Empty(t, b)
			a.Free(b)
			require.Empty(t, a.Reallocate(0, b))
		}
		a.Free(nil)
		require.Nil(t, a.heap.Load(), "nothing was taken yet")
		b := a.Reallocate(40, nil)
		require.Len(t, b, 40)
		b = a.Reallocate(0, b)
		require.Empty(t, b)
		require.Zero(t, a.heap.Load().Stats().LiveBlocks)
		b = a.Reallocate(50, b)
		require.Len(t, b, 50)
		a.Free(b[:0])
	})
}

// TestNegativeSizes: they panic, as with memory.GoAllocator, and nothing happens to the block.
func TestNegativeSizes(t *testing.T) {
	eachMode(t, func(t *testing.T, a *Allocator) {
		b := a.Allocate(40)
		b[0] = 'x'
		for _, n := range []int{-1, -64, -65, -1 << 40} {
			for _, mem := range []memory.Allocator{a, memory.NewGoAllocator()} {
				require.Panics(t, func() { mem.Allocate(n) }, "%T", mem)
				require.Panics(t, func() { mem.Reallocate(n, b) }, "%T", mem)
			}
		}
		require.EqualValues(t, 'x', b[0])
		a.Free(b)
	})
}

// TestNoMemory: the panic is the heap's error, and the block to be enlarged is as it was.
func TestNoMemory(t *testing.T) {
	h, err := allocator.New(allocator.Options{ReserveBytes: 16 << 20, LimitBytes: 4 << 20})
	require.NoError(t, err)
	a := New(h)
	b := a.Allocate(40)
	b[0] = 'x'
	for _, f := range []func(){func() { a.Allocate(8 << 20) }, func() { a.Reallocate(8<<20, b) }} {
		func() {
			defer func() {
				limit := (*allocator.LimitError)(nil)
				err, _ := recover().(error)
				require.ErrorAs(t, err, &limit)
			}()
			f()
		}()
	}
	require.EqualValues(t, 'x', b[0])
	a.Free(b)
	require.NoError(t, a.Close(), "the heap is not the Allocator's to close")
	b, err = h.Alloc(1)
	require.NoError(t, err)
	require.NoError(t, h.Free(b))
	require.NoError(t, h.Close())
}

// TestAWrongEnvironmentIsTold by the first block.
func TestAWrongEnvironmentIsTold(t *testing.T) {
	t.Setenv(allocator.Environment, "mode=loud")
	var a Allocator
	require.PanicsWithError(t, `glassheap: GLASSHEAP=mode=loud: mode accepts plain, sealed, audit, not "loud"`, func() { a.Allocate(1) })
	require.PanicsWithError(t, `glassheap: GLASSHEAP=mode=loud: mode accepts plain, sealed, audit, not "loud"`, func() { NewChecked().Allocate(1) })
}

// TestShrinking: a little less stays where it is, unless the heap is audited; much less gives memory back.
func TestShrinking(t *testing.T) {
	eachMode(t, func(t *testing.T, a *Allocator) {
		b := a.Allocate(1 << 20)
		less := a.Reallocate(900_000, b)
		audited := a.heap.Load().Mode() == allocator.ModeAudit
		require.Equal(t, audited, addressOf(b) != addressOf(less))
		less = a.Reallocate(1000, less)
		require.Equal(t, 1000, cap(less))
		require.Less(t, a.heap.Load().Stats().InUseBytes, uint64(1<<20)+1000)
		a.Free(less)
	})
}

// TestCloseTellsLeaks, and makes the zero value of it again.
func TestCloseTellsLeaks(t *testing.T) {
	t.Setenv(allocator.Environment, "mode=audit")
	var a Allocator
	require.NoError(t, a.Close())
	a.Allocate(77)
	leak := (*allocator.LeakError)(nil)
	require.ErrorAs(t, a.Close(), &leak)
	require.ErrorContains(t, leak, "TestCloseTellsLeaks")
	b := a.Allocate(10)
	a.Free(b)
	require.NoError(t, a.Close())
}

// TestTheReportPolicyGoesOn: what a violation leaves is a program that works, without the block.
func TestTheReportPolicyGoesOn(t *testing.T) {
	for _, mode := range []allocator.Mode{allocator.ModeSealed, allocator.ModeAudit} {
		var kinds []allocator.Kind
		h, err := allocator.New(allocator.Options{Mode: mode, OnViolation: func(v *allocator.Violation) { kinds = append(kinds, v.Kind) }})
		require.NoError(t, err)
		a := New(h)
		large, small := a.Allocate(1<<20), a.Allocate(40)
		a.Free(large)
		a.Free(small)
		for _, freed := range [][]byte{large, small} {
			b := a.Reallocate(2<<20, freed)
			require.Zero(t, len(bytes.Trim(b, "\x00")), "nothing is known of what is freed")
			a.Free(b)
		}
		require.Len(t, kinds, 2) // of what kind, depends on whether the pages are still there
		require.Equal(t, allocator.UseAfterFree, kinds[1])
		foreign := counting(100)
		b := a.Reallocate(200, foreign)
		require.Equal(t, foreign, b[:100])
		a.Free(b)
		require.Equal(t, allocator.InvalidFree, kinds[2])

		damaged := a.Allocate(100)
		copy(damaged, foreign)
		write(damaged, 100)
		b = a.Reallocate(200, damaged)
		require.Equal(t, foreign, b[:100])
		a.Free(b)
		require.Equal(t, allocator.Overflow, kinds[3])
		require.Len(t, kinds, 4, "each is told once")
		_ = h.Close()
	}
}
