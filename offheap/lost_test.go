package offheap_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/glassheaptest"
	"github.com/glassheap/glassheap/offheap"
)

// collected runs the collector until something is reported.
func collected(lost <-chan offheap.Lost) offheap.Lost {
	for {
		runtime.GC()
		select {
		case l := <-lost:
			return l
		default:
			runtime.Gosched()
		}
	}
}

// makers make something, by the word for it, and tell how it is freed and how many bytes it holds.
var makers = map[string]func(h *allocator.Heap, report offheap.ReportLost) (free func() error, holds int){
	"Handle": func(h *allocator.Heap, report offheap.ReportLost) (func() error, int) {
		b, _ := h.Alloc(123)
		return offheap.NewHandle(h, b, report).Free, 123
	},
	"Vec[offheap_test.row]": func(h *allocator.Heap, report offheap.ReportLost) (func() error, int) {
		v, _ := offheap.NewVec[row](h, 10, report)
		return v.Free, 10 * int(unsafe.Sizeof(row{}))
	},
	"Vec[uint8]": func(h *allocator.Heap, report offheap.ReportLost) (func() error, int) {
		v, _ := offheap.NewVec[byte](h, 10, report)
		_ = v.AppendSlice(make([]byte, 5000))
		return v.Free, v.Cap()
	},
	"Buffer": func(h *allocator.Heap, report offheap.ReportLost) (func() error, int) {
		b := offheap.NewBuffer(h, report)
		_, _ = b.Write(make([]byte, 3000))
		return b.Free, b.Cap()
	},
	"Scope": func(h *allocator.Heap, report offheap.ReportLost) (func() error, int) {
		s := offheap.NewScope(h, report, offheap.ChunkBytes(1000))
		_, _ = s.Alloc(30)
		_, _ = s.Alloc(3000)
		return s.Free, 4000
	},
	"Scope, reset": func(h *allocator.Heap, report offheap.ReportLost) (func() error, int) {
		s := offheap.NewScope(h, report, offheap.ChunkBytes(1000))
		_, _ = s.Alloc(30)
		_, _ = s.Alloc(3000)
		_ = s.Reset()
		return s.Free, 1000
	},
}

//go:noinline
func lose(makes func(*allocator.Heap, offheap.ReportLost) (func() error, int), h *allocator.Heap, report offheap.ReportLost) int {
	_, holds := makes(h, report)
	return holds
}

func TestWhatIsLostIsReported(t *testing.T) {
	for name, makes := range makers {
		t.Run(name, func(t *testing.T) {
			h, err := allocator.New(allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20})
			require.NoError(t, err)
			lost := make(chan offheap.Lost, 1)
			holds := lose(makes, h, func(l offheap.Lost) { lost <- l })
			l := collected(lost)
			require.Equal(t, holds, l.Bytes)
			what, _, _ := strings.Cut(name, ",")
			require.Equal(t, what, l.What)
			require.Contains(t, l.Made.Frames()[0].Function, "offheap_test.init.func")
			require.Contains(t, l.Made.Frames()[1].Function, "offheap_test.lose")
			require.Contains(t, l.String(), fmt.Sprintf("offheap: a %s of %d bytes was never freed", what, holds))
			require.Contains(t, l.String(), "lost_test.go:")
			require.NotZero(t, h.Stats().LiveBlocks, "it is not freed: slices of it may be in use")
			require.Error(t, h.Close())
		})
	}
}

// TestWhatIsFreedIsNotReported: by the time that something made later is, it would have been.
func TestWhatIsFreedIsNotReported(t *testing.T) {
	h := glassheaptest.New(t)
	lost := make(chan offheap.Lost, 1)
	for _, makes := range makers {
		for _, report := range []offheap.ReportLost{nil, func(l offheap.Lost) { t.Errorf("%v", l) }} {
			free, _ := makes(h, report)
			require.NoError(t, free())
			require.ErrorIs(t, free(), offheap.ErrFreed)
		}
	}
	runtime.GC()
	b, err := h.Alloc(77)
	require.NoError(t, err)
	func() { offheap.NewHandle(h, b, func(l offheap.Lost) { lost <- l }) }()
	require.Equal(t, 77, collected(lost).Bytes)
	require.NoError(t, h.Free(b))
}

// TestWhatIsReachableIsNotReported, as long as it is.
func TestWhatIsReachableIsNotReported(t *testing.T) {
	h := glassheaptest.New(t)
	lost := make(chan offheap.Lost, 1)
	b, err := h.Alloc(123)
	require.NoError(t, err)
	kept := offheap.NewHandle(h, b, func(l offheap.Lost) { t.Errorf("%v", l) })
	other, err := h.Alloc(7)
	require.NoError(t, err)
	func() { offheap.NewHandle(h, other, func(l offheap.Lost) { lost <- l }) }()
	require.Equal(t, 7, collected(lost).Bytes)
	require.Len(t, kept.Bytes(), 123)
	require.NoError(t, kept.Free())
	require.NoError(t, h.Free(other))
}

// TestHandleIsFreedOnce, whoever frees it.
func TestHandleIsFreedOnce(t *testing.T) {
	h := glassheaptest.New(t)
	for range 200 {
		b, err := h.Alloc(50)
		require.NoError(t, err)
		handle := offheap.NewHandle(h, b, func(offheap.Lost) { t.Error("it was freed") })
		require.Same(t, &b[0], &handle.Bytes()[0])
		var all sync.WaitGroup
		var freed, refused [4]bool
		for i := range freed {
			all.Go(func() {
				err := handle.Free()
				freed[i], refused[i] = err == nil, err != nil
				if err != nil && err.Error() != "offheap: Free of a Handle: it was freed already" {
					t.Error(err)
				}
			})
		}
		all.Wait()
		once := 0
		for i := range freed {
			require.NotEqual(t, freed[i], refused[i])
			if freed[i] {
				once++
			}
		}
		require.Equal(t, 1, once)
		panicsFreed(t, func() { handle.Bytes() }, "Bytes of a Handle")
	}
}
