package offheap_test

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/glassheaptest"
	"github.com/glassheap/glassheap/offheap"
)

// row has bytes between its fields that belong to none.
type row struct {
	Key  uint64
	Name [5]byte
}

// vecs does what can be done with a Vec and with a slice, and expects the same of both.
func vecs[T comparable](h *allocator.Heap, element *rapid.Generator[T]) func(*rapid.T) {
	return func(t *rapid.T) {
		var model []T
		v, err := offheap.NewVec[T](h, rapid.IntRange(0, 20).Draw(t, "capacity"))
		require.NoError(t, err)
		defer func() { // also of a run that is cut short: the next one uses the same heap
			require.NoError(t, v.Free())
			require.Zero(t, h.Stats().LiveBlocks)
		}()
		size := int(unsafe.Sizeof(*new(T)))
		t.Repeat(map[string]func(*rapid.T){
			"Append": func(t *rapid.T) {
				e := element.Draw(t, "element")
				require.NoError(t, v.Append(e))
				model = append(model, e)
			},
			"AppendSlice": func(t *rapid.T) {
				some := rapid.SliceOfN(element, 0, 40).Draw(t, "elements")
				require.NoError(t, v.AppendSlice(some))
				model = append(model, some...)
			},
			"AppendSlice of its own": func(t *rapid.T) {
				from := rapid.IntRange(0, min(len(model), 200)).Draw(t, "from")
				to := rapid.IntRange(from, min(len(model), 200)).Draw(t, "to")
				require.NoError(t, v.AppendSlice(v.Slice()[from:to]))
				model = append(model, slices.Clone(model[from:to])...)
			},
			"Extend": func(t *rapid.T) {
				n := rapid.IntRange(0, 30).Draw(t, "n")
				added, err := v.Extend(n)
				require.NoError(t, err)
				require.Equal(t, make([]T, n), added)
				model = append(model, added...)
				for i := range added {
					e := element.Draw(t, "element")
					added[i], model[len(model)-n+i] = e, e
				}
			},
			"Grow": func(t *rapid.T) {
				n := rapid.IntRange(0, 100).Draw(t, "n")
				require.NoError(t, v.Grow(n))
				require.GreaterOrEqual(t, v.Cap()-v.Len(), n)
				before := unsafe.SliceData(v.Slice())
				for range n {
					e := element.Draw(t, "element")
					require.NoError(t, v.Append(e))
					model = append(model, e)
				}
				require.True(t, before == unsafe.SliceData(v.Slice()) || n == 0, "nothing moved")
			},
			"Truncate": func(t *rapid.T) {
				n := rapid.IntRange(0, len(model)).Draw(t, "n")
				v.Truncate(n)
				model = model[:n]
			},
			"change": func(t *rapid.T) {
				if len(model) > 0 {
					i, e := rapid.IntRange(0, len(model)-1).Draw(t, "i"), element.Draw(t, "element")
					v.Slice()[i], model[i] = e, e
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(model), v.Len())
				require.True(t, slices.Equal(model, v.Slice()))
				require.Equal(t, v.Len(), cap(v.Slice()))
				require.GreaterOrEqual(t, v.Cap(), v.Len())
				if v.Cap() > 0 && size > 0 {
					require.Equal(t, h, allocator.HeapAt(unsafe.Pointer(unsafe.SliceData(v.Slice()))))
				}
			},
		})
	}
}

func TestVecIsASlice(t *testing.T) {
	rows := rapid.Custom(func(t *rapid.T) row {
		return row{Key: rapid.Uint64().Draw(t, "key"), Name: [5]byte{rapid.Byte().Draw(t, "name")}}
	})
	for name, h := range map[string]*allocator.Heap{
		"audit": glassheaptest.New(t), "sealed": heapOf(t, allocator.ModeSealed), "plain": heapOf(t, allocator.ModePlain),
	} {
		t.Run(name+"/rows", func(t *testing.T) { rapid.Check(t, vecs(h, rows)) })
		t.Run(name+"/bytes", func(t *testing.T) { rapid.Check(t, vecs(h, rapid.Byte())) })
		t.Run(name+"/nothing", func(t *testing.T) { rapid.Check(t, vecs(h, rapid.Just(struct{}{}))) })
	}
}

func TestVecRefusesGoPointers(t *testing.T) {
	h := glassheaptest.New(t)
	type named struct{ Name string }
	_, err := offheap.NewVec[named](h, 0)
	require.ErrorContains(t, err, "offheap_test.named.Name (string) is a Go pointer")
}

// TestVecGrowsSeldom: to append a million elements moves each about once.
func TestVecGrowsSeldom(t *testing.T) {
	h := glassheaptest.New(t)
	v, err := offheap.NewVec[uint32](h, 0)
	require.NoError(t, err)
	moves, moved := 0, 0
	for i := range uint32(1_000_000) {
		before := v.Cap()
		require.NoError(t, v.Append(i))
		if v.Cap() != before {
			moves, moved = moves+1, moved+v.Len()
		}
	}
	require.Less(t, moves, 30)
	require.Less(t, moved, 3_000_000)
	require.LessOrEqual(t, v.Cap(), 1_600_000)
	for i, e := range v.Slice() {
		if uint32(i) != e {
			require.EqualValues(t, i, e)
		}
	}
	require.NoError(t, v.Free())
}

// TestVecThatHasNoRoom stays as it was.
func TestVecThatHasNoRoom(t *testing.T) {
	h := glassheaptest.NewWith(t, allocator.Options{ReserveBytes: 16 << 20})
	v, err := offheap.NewVec[uint64](h, 3)
	require.NoError(t, err)
	require.NoError(t, v.AppendSlice([]uint64{1, 2, 3}))
	for _, n := range []int{-1, math.MinInt, 64 << 20, math.MaxInt/8 + 1, 1<<61 + 1, math.MaxInt} {
		require.ErrorAs(t, v.Grow(n), new(*allocator.SizeError), n)
		_, err := v.Extend(n)
		require.ErrorAs(t, err, new(*allocator.SizeError), n)
	}
	_, err = offheap.NewVec[uint64](h, -1)
	require.ErrorAs(t, err, new(*allocator.SizeError))
	require.NoError(t, h.SetLimit(1<<20))
	for err = nil; err == nil; {
		before := v.Len()
		if err = v.Append(4); err != nil {
			require.ErrorAs(t, err, new(*allocator.LimitError))
			require.Equal(t, before, v.Len())
		}
	}
	require.Equal(t, []uint64{1, 2, 3, 4}, v.Slice()[:4])
	require.Panics(t, func() { v.Truncate(-1) })
	require.Panics(t, func() { v.Truncate(v.Len() + 1) })
	require.NoError(t, v.Free())
}

func TestVecAfterFree(t *testing.T) {
	h := glassheaptest.New(t)
	for _, capacity := range []int{0, 10} {
		v, err := offheap.NewVec[row](h, capacity)
		require.NoError(t, err)
		require.NoError(t, v.Free())
		_, extended := v.Extend(0)
		for call, err := range map[string]error{
			"Append": v.Append(row{}), "AppendSlice": v.AppendSlice(nil), "Extend": extended, "Grow": v.Grow(0), "Free": v.Free(),
		} {
			require.ErrorIs(t, err, offheap.ErrFreed)
			require.ErrorContains(t, err, call+" of a Vec[offheap_test.row]")
		}
		panicsFreed(t, func() { v.Len() }, "Len of a Vec")
		panicsFreed(t, func() { v.Cap() }, "Cap of a Vec")
		panicsFreed(t, func() { v.Slice() }, "Slice of a Vec")
		panicsFreed(t, func() { v.Truncate(0) }, "Truncate of a Vec")
	}
}

// TestVecIsWatched: what is written past its end, or into a slice that was outgrown, is told.
func TestVecIsWatched(t *testing.T) {
	h := heapOf(t, allocator.ModeSealed)
	v, err := offheap.NewVec[byte](h, 10)
	require.NoError(t, err)
	past := (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(v.Slice())), 10))
	was := *past
	*past ^= 1
	violation(t, v.Grow(100), allocator.Overflow)
	*past = was
	require.NoError(t, v.Free())

	var told []*allocator.Violation
	audited, err := allocator.New(allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20, OnViolation: func(v *allocator.Violation) { told = append(told, v) }})
	require.NoError(t, err)
	v, err = offheap.NewVec[byte](audited, 0)
	require.NoError(t, err)
	require.NoError(t, v.AppendSlice([]byte("old")))
	old := v.Slice()
	require.NoError(t, v.AppendSlice(make([]byte, 1000)))
	old[1] = 'x'
	require.NoError(t, v.Free())
	require.NoError(t, audited.Close())
	require.Len(t, told, 1)
	require.Equal(t, allocator.WriteAfterFree, told[0].Kind)
	require.Equal(t, "github.com/glassheap/glassheap/offheap_test.TestVecIsWatched", told[0].Freed.Frames()[0].Function)
}
