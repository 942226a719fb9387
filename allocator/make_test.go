package allocator

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestMakeRefusesGoPointersByName(t *testing.T) {
	h := newHeap(t, Options{})
	type inner struct {
		N    int
		Link *int
	}
	type outer struct {
		Key  uint64
		Rows [2]inner
	}
	refused := func(path string, err error) {
		t.Helper()
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, "can't live off-heap")
	}
	_, err := Make[outer](h, 1)
	refused("allocator.outer.Rows[0].Link (*int)", err)
	_, err = Make[string](h, 1)
	refused("a string can't", err)
	_, err = Make[any](h, 1)
	refused("a interface {} can't", err)
	for _, make := range []func() error{
		func() error { _, err := Make[[]byte](h, 1); return err },
		func() error { _, err := Make[map[int]int](h, 1); return err },
		func() error { _, err := Make[chan int](h, 1); return err },
		func() error { _, err := Make[func()](h, 1); return err },
		func() error { _, err := Make[unsafe.Pointer](h, 1); return err },
	} {
		refused("is a Go pointer", make())
	}
	require.Zero(t, h.Stats().LiveBlocks)
}

func TestMakeTakesWhatHoldsNoPointer(t *testing.T) {
	h := newHeap(t, Options{})
	type row struct {
		Key   uintptr
		None  [0]*int
		Score complex128
		Name  [13]byte
		OK    bool
	}
	rows, err := Make[row](h, 1000)
	require.NoError(t, err)
	require.Equal(t, make([]row, 1000), rows)
	for i := range rows {
		rows[i] = row{Key: uintptr(i), Name: [13]byte{'x'}, OK: true}
	}
	require.NoError(t, FreeSlice(h, rows))
	violated(t, FreeSlice(h, rows), DoubleFree)

	again, err := Make[row](h, 1000)
	require.NoError(t, err)
	require.Equal(t, make([]row, 1000), again, "zeroed, whatever was there before")
	violated(t, FreeSlice(h, again[:10:10]), SizeMismatch)
	require.NoError(t, FreeSlice(h, again[:10]))
}

func TestMakeOfNothing(t *testing.T) {
	h := newHeap(t, Options{})
	none, err := Make[struct{}](h, 3)
	require.NoError(t, err)
	require.Len(t, none, 3)
	require.NoError(t, FreeSlice(h, none))
	empty, err := Make[uint64](h, 0)
	require.NoError(t, err)
	require.Empty(t, empty)
	require.NoError(t, FreeSlice(h, empty))
	require.Zero(t, h.Stats().Allocs)

	wrong := (*SizeError)(nil)
	_, err = Make[uint64](h, -1)
	require.ErrorAs(t, err, &wrong)
	_, err = Make[uint64](h, 1<<61)
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, SizeError{Size: 8, Count: 1 << 61, Limit: 8 << 40, Reason: wrong.Reason}, *wrong)
	require.ErrorContains(t, err, "2305843009213693952 × 8 bytes")
}

func TestNew1(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeSealed, ModeAudit} {
		h := newHeap(t, Options{Mode: mode})
		type row struct {
			Key  uint64
			Name [13]byte
		}
		for range 100 { // blocks come back with what was in them
			p, err := New1[row](h)
			require.NoError(t, err)
			require.Equal(t, row{}, *p)
			require.Equal(t, h, HeapAt(unsafe.Pointer(p)))
			*p = row{Key: 1, Name: [13]byte{'x'}}
			require.NoError(t, Free1(h, p))
		}
		require.Zero(t, h.Stats().LiveBlocks)
	}
}

func TestNew1RefusesWhatMakeRefuses(t *testing.T) {
	h := newHeap(t, Options{})
	type row struct {
		Key  uint64
		Next *row
	}
	for range 2 { // the second time it is known
		_, want := Make[row](h, 1)
		_, err := New1[row](h)
		require.EqualError(t, err, want.Error())
		require.ErrorContains(t, err, "allocator.row.Next (*allocator.row)")
	}
	require.Zero(t, h.Stats().Allocs)
}

func TestFree1Verifies(t *testing.T) {
	h := newHeap(t, Options{})
	p, err := New1[[20]byte](h)
	require.NoError(t, err)
	violated(t, Free1(h, (*[10]byte)(p[:])), SizeMismatch)
	require.NoError(t, Free1(h, p))
	violated(t, Free1(h, p), DoubleFree)
	violated(t, Free1(h, new([20]byte)), InvalidFree)
	require.NoError(t, Free1[int](h, nil))

	none, err := New1[struct{}](h)
	require.NoError(t, err)
	require.NotNil(t, none)
	require.NoError(t, Free1(h, none))
	require.Equal(t, uint64(1), h.Stats().Allocs)
}
