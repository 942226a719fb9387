package offheap_test

import (
	"bytes"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/glassheaptest"
	"github.com/glassheap/glassheap/offheap"
)

// scopes allocates in a Scope and keeps what must be there in a map.
func scopes(h *allocator.Heap, options ...offheap.ScopeOption) func(*rapid.T) {
	return func(t *rapid.T) {
		s := offheap.NewScope(h, options...)
		defer func() { // also of a run that is cut short: the next one uses the same heap
			require.NoError(t, s.Free())
			require.Zero(t, h.Stats().LiveBlocks)
		}()
		model := map[*byte][]byte{} // by where it lies
		used := 0
		keep := func(t *rapid.T, got, want []byte) {
			require.Equal(t, want, got)
			require.Equal(t, len(got), cap(got))
			if len(got) == 0 {
				return
			}
			require.Equal(t, h, allocator.HeapAt(unsafe.Pointer(&got[0])))
			model[&got[0]] = want
			used += len(want)
		}
		some := rapid.SliceOfN(rapid.Byte(), 0, 400)
		t.Repeat(map[string]func(*rapid.T){
			"Alloc": func(t *rapid.T) {
				want := some.Draw(t, "bytes")
				got, err := s.Alloc(len(want))
				require.NoError(t, err)
				copy(got, want)
				keep(t, got, want)
			},
			"Copy": func(t *rapid.T) {
				want := some.Draw(t, "bytes")
				got, err := s.Copy(want)
				require.NoError(t, err)
				keep(t, got, bytes.Clone(want))
			},
			"CopyString": func(t *rapid.T) {
				want := string(some.Draw(t, "bytes"))
				got, err := s.CopyString(want)
				require.NoError(t, err)
				require.Equal(t, want, got)
				keep(t, unsafe.Slice(unsafe.StringData(got), len(got)), []byte(want))
			},
			"MakeIn": func(t *rapid.T) {
				want := make([]row, rapid.IntRange(0, 20).Draw(t, "n"))
				got, err := offheap.MakeIn[row](s, len(want))
				require.NoError(t, err)
				require.Equal(t, want, got)
				for i := range got {
					got[i] = row{Key: rapid.Uint64().Draw(t, "key")}
				}
				raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(got))), len(got)*int(unsafe.Sizeof(row{})))
				require.Zero(t, uintptr(unsafe.Pointer(unsafe.SliceData(raw)))%unsafe.Alignof(row{}))
				keep(t, raw, bytes.Clone(raw))
			},
			"NewIn": func(t *rapid.T) {
				got, err := offheap.NewIn[uint64](s)
				require.NoError(t, err)
				require.Zero(t, *got)
				*got = rapid.Uint64().Draw(t, "value")
				raw := unsafe.Slice((*byte)(unsafe.Pointer(got)), 8)
				keep(t, raw, bytes.Clone(raw))
			},
			"a large one": func(t *rapid.T) {
				got, err := s.Alloc(rapid.IntRange(5000, 50_000).Draw(t, "n"))
				require.NoError(t, err)
				clear(got)
				keep(t, got, make([]byte, len(got)))
			},
			"change": func(t *rapid.T) {
				for at, want := range model {
					want[0]++
					*at = want[0]
				}
			},
			"Reset": func(t *rapid.T) {
				if rapid.IntRange(0, 5).Draw(t, "seldom") == 0 {
					require.NoError(t, s.Reset())
					clear(model)
					used = 0
				}
			},
			"": func(t *rapid.T) {
				for at, want := range model {
					require.True(t, bytes.Equal(want, unsafe.Slice(at, len(want))), "%p", at)
				}
				require.Equal(t, used, s.Used())
				require.GreaterOrEqual(t, s.Held(), used)
			},
		})
	}
}

func TestScopeIsAMap(t *testing.T) {
	for name, h := range map[string]*allocator.Heap{"audit": glassheaptest.New(t), "sealed": heapOf(t, allocator.ModeSealed)} {
		t.Run(name+"/default", func(t *testing.T) { rapid.Check(t, scopes(h)) })
		t.Run(name+"/small chunks", func(t *testing.T) { rapid.Check(t, scopes(h, offheap.ChunkBytes(1000))) })
		t.Run(name+"/least chunks", func(t *testing.T) { rapid.Check(t, scopes(h, offheap.ChunkBytes(1))) })
		t.Run(name+"/apart", func(t *testing.T) { rapid.Check(t, scopes(h, offheap.Apart(true))) })
	}
}

//go:noinline
func useScope(t testing.TB, s *offheap.Scope) {
	for range 500 {
		_, err := s.Alloc(100)
		require.NoError(t, err)
	}
	_, err := s.Alloc(100_000)
	require.NoError(t, err)
}

// TestScopeIsOneOwner: all chunks of a Scope are shown as allocated by the line that made it.
func TestScopeIsOneOwner(t *testing.T) {
	h, err := allocator.New(allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20})
	require.NoError(t, err)
	_, _, line, _ := runtime.Caller(0)
	first, second := offheap.NewScope(h), offheap.NewScope(h)
	third := offheap.NewScope(h)
	require.Zero(t, h.Stats().LiveBlocks)
	for _, s := range []*offheap.Scope{first, third} {
		useScope(t, s)
	}
	useScope(t, first)
	leaks := h.Leaks()
	require.Len(t, leaks, 2)
	for i, s := range []*offheap.Scope{first, third} {
		require.EqualValues(t, s.Held(), leaks[i].Bytes)
		require.Greater(t, leaks[i].Blocks, uint64(4))
		frame := leaks[i].Allocated.Frames()[0]
		require.Equal(t, "github.com/glassheap/glassheap/offheap_test.TestScopeIsOneOwner", frame.Function)
		require.Equal(t, line+1+i, frame.Line)
	}
	for _, s := range []*offheap.Scope{first, second, third} {
		require.NoError(t, s.Free())
	}
	require.NoError(t, h.Close())
}

// TestScopeChunks: small requests share one, large ones have their own, and Reset keeps the first.
func TestScopeChunks(t *testing.T) {
	h := glassheaptest.New(t)
	s := offheap.NewScope(h, offheap.ChunkBytes(1000))
	old, err := s.Copy([]byte("old"))
	require.NoError(t, err)
	for range 3 {
		_, err := s.Alloc(250)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, h.Stats().LiveBlocks)
	_, err = s.Alloc(251)
	require.NoError(t, err)
	require.Equal(t, 1251, s.Held())
	_, err = s.Alloc(250) // no room
	require.NoError(t, err)
	require.Equal(t, 2251, s.Held())
	require.NoError(t, s.Reset())
	require.Equal(t, 1000, s.Held())
	require.EqualValues(t, 1, h.Stats().LiveBlocks)
	require.Equal(t, bytes.Repeat([]byte{layout.PoisonByte}, 3), old, "what is used after Reset is recognised")
	again, err := s.Copy([]byte("new"))
	require.NoError(t, err)
	require.Same(t, &old[0], &again[0])
	require.NoError(t, s.Free())
}

// TestScopeApart: what is written past one request is told.
func TestScopeApart(t *testing.T) {
	for _, apart := range []bool{true, false} {
		h := heapOf(t, allocator.ModeSealed)
		s := offheap.NewScope(h, offheap.Apart(apart))
		b, err := s.Alloc(10)
		require.NoError(t, err)
		_, err = s.Alloc(10)
		require.NoError(t, err)
		past := (*byte)(unsafe.Add(unsafe.Pointer(&b[0]), 10))
		was := *past
		*past ^= 1
		if apart {
			_, err := h.UsableSize(unsafe.Pointer(&b[0]))
			violation(t, err, allocator.Overflow)
			*past = was
		}
		require.NoError(t, s.Free())
	}
}

func TestScopeRefuses(t *testing.T) {
	h := glassheaptest.NewWith(t, allocator.Options{ReserveBytes: 16 << 20})
	s := offheap.NewScope(h)
	type named struct{ Name string }
	_, err := offheap.MakeIn[named](s, 0)
	require.ErrorContains(t, err, "offheap_test.named.Name (string) is a Go pointer")
	_, err = offheap.NewIn[named](s)
	require.ErrorContains(t, err, "offheap_test.named.Name (string) is a Go pointer")
	for _, n := range []int{-1, 64 << 20, 1<<60 + 1, int(^uint(0) >> 1)} {
		_, err = s.Alloc(n)
		require.ErrorAs(t, err, new(*allocator.SizeError), n)
		_, err = offheap.MakeIn[row](s, n)
		require.ErrorAs(t, err, new(*allocator.SizeError), n)
	}
	require.Zero(t, s.Used())
	require.Zero(t, s.Held())
	none, err := offheap.MakeIn[struct{}](s, 5)
	require.NoError(t, err)
	require.Len(t, none, 5)
	require.NoError(t, s.Free())
}

// TestScopeFreesTheOthers when one of its blocks is damaged.
func TestScopeFreesTheOthers(t *testing.T) {
	var told int
	h, err := allocator.New(allocator.Options{ReserveBytes: 64 << 20, OnViolation: func(*allocator.Violation) { told++ }})
	require.NoError(t, err)
	s := offheap.NewScope(h)
	for i := range 3 {
		b, err := s.Alloc(6000)
		require.NoError(t, err)
		if i == 0 {
			*(*byte)(unsafe.Add(unsafe.Pointer(&b[0]), 6000)) ^= 1
		}
	}
	require.EqualValues(t, 3, h.Stats().LiveBlocks)
	violation(t, s.Free(), allocator.Overflow)
	require.Equal(t, 1, told)
	require.LessOrEqual(t, h.Stats().LiveBlocks, uint64(1))
	_ = h.Close()
}

func TestScopeAfterFree(t *testing.T) {
	s := offheap.NewScope(glassheaptest.New(t))
	_, err := s.Alloc(10)
	require.NoError(t, err)
	require.NoError(t, s.Free())
	second := func(_ any, err error) error { return err }
	for call, err := range map[string]error{
		"Alloc": second(s.Alloc(0)), "Copy": second(s.Copy(nil)), "CopyString": second(s.CopyString("")), "MakeIn[int]": second(offheap.MakeIn[int](s, 0)),
		"Reset": s.Reset(), "Free": s.Free(),
	} {
		require.ErrorIs(t, err, offheap.ErrFreed)
		require.ErrorContains(t, err, call+" of a Scope")
	}
	require.ErrorIs(t, second(offheap.NewIn[int](s)), offheap.ErrFreed)
	panicsFreed(t, func() { s.Used() }, "Used of a Scope")
	panicsFreed(t, func() { s.Held() }, "Held of a Scope")
}
