package memory

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/stretchr/testify/require"
)

// twin is one of the three faces of the API, by addresses.
type twin struct {
	malloc, calloc func(a *Allocator, size int) (unsafe.Pointer, error)
	realloc        func(a *Allocator, p unsafe.Pointer, was, size int) (unsafe.Pointer, error)
	free           func(a *Allocator, p unsafe.Pointer, was int) error
	usable         func(p unsafe.Pointer) int
}

func pointerTo(b []byte, err error) (unsafe.Pointer, error) {
	return unsafe.Pointer(unsafe.SliceData(b)), err
}

func toPointer(p uintptr, err error) (unsafe.Pointer, error) { return address(p), err }

var twins = map[string]twin{
	"slice": {
		malloc: func(a *Allocator, n int) (unsafe.Pointer, error) { return pointerTo(a.Malloc(n)) },
		calloc: func(a *Allocator, n int) (unsafe.Pointer, error) { return pointerTo(a.Calloc(n)) },
		realloc: func(a *Allocator, p unsafe.Pointer, was, n int) (unsafe.Pointer, error) {
			return pointerTo(a.Realloc(slice(p, was), n))
		},
		free:   func(a *Allocator, p unsafe.Pointer, was int) error { return a.Free(slice(p, was)) },
		usable: func(p unsafe.Pointer) int { return UsableSize((*byte)(p)) },
	},
	"unsafe": {
		malloc:  (*Allocator).UnsafeMalloc,
		calloc:  (*Allocator).UnsafeCalloc,
		realloc: func(a *Allocator, p unsafe.Pointer, _, n int) (unsafe.Pointer, error) { return a.UnsafeRealloc(p, n) },
		free:    func(a *Allocator, p unsafe.Pointer, _ int) error { return a.UnsafeFree(p) },
		usable:  UnsafeUsableSize,
	},
	"uintptr": {
		malloc: func(a *Allocator, n int) (unsafe.Pointer, error) { return toPointer(a.UintptrMalloc(n)) },
		calloc: func(a *Allocator, n int) (unsafe.Pointer, error) { return toPointer(a.UintptrCalloc(n)) },
		realloc: func(a *Allocator, p unsafe.Pointer, _, n int) (unsafe.Pointer, error) {
			return toPointer(a.UintptrRealloc(uintptr(p), n))
		},
		free:   func(a *Allocator, p unsafe.Pointer, _ int) error { return a.UintptrFree(uintptr(p)) },
		usable: func(p unsafe.Pointer) int { return UintptrUsableSize(uintptr(p)) },
	},
}

// eachTwin runs a test for every face of the API in every mode; the Allocator must be empty at its end.
func eachTwin(t *testing.T, test func(t *testing.T, a *Allocator, w twin)) {
	for _, mode := range []string{"plain", "sealed", "audit"} {
		for name, w := range twins {
			t.Run(mode+"/"+name, func(t *testing.T) {
				t.Setenv(allocator.Environment, "mode="+mode)
				var a Allocator
				test(t, &a, w)
				require.NoError(t, a.Close())
			})
		}
	}
}

func TestBlocks(t *testing.T) {
	eachTwin(t, func(t *testing.T, a *Allocator, w twin) {
		for _, n := range []int{1, 2, 7, 8, 9, 15, 16, 17, 24, 100, 128, 129, 1000, 4096, 32 << 10, 32<<10 + 1, 100 << 10, 2 << 20} {
			p, err := w.malloc(a, n)
			require.NoError(t, err)
			require.Zero(t, uintptr(p)%16, "%d bytes", n)
			require.GreaterOrEqual(t, w.usable(p), n)
			b := unsafe.Slice((*byte)(p), w.usable(p))
			for i := range b {
				b[i] = byte(i)
			}
			q, err := w.realloc(a, p, n, 3*n+1)
			require.NoError(t, err)
			require.Zero(t, uintptr(q)%16, "%d bytes", n)
			require.True(t, counts(q, n))
			q, err = w.realloc(a, q, 3*n+1, (n+1)/2)
			require.NoError(t, err)
			require.True(t, counts(q, (n+1)/2))
			require.NoError(t, w.free(a, q, (n+1)/2))
			// What lies where the last one lay is zeroed.
			p, err = w.calloc(a, (n+1)/2)
			require.NoError(t, err)
			require.Zero(t, uintptr(p)%16, "%d bytes", n)
			require.True(t, bytes.Equal(make([]byte, (n+1)/2), unsafe.Slice((*byte)(p), (n+1)/2)))
			require.NoError(t, w.free(a, p, (n+1)/2))
		}
	})
}

// counts reports whether n bytes at p are 0, 1, 2, …
func counts(p unsafe.Pointer, n int) bool {
	for i, c := range unsafe.Slice((*byte)(p), n) {
		if c != byte(i) {
			return false
		}
	}
	return true
}

func TestNothing(t *testing.T) {
	eachTwin(t, func(t *testing.T, a *Allocator, w twin) {
		for _, request := range []func(*Allocator, int) (unsafe.Pointer, error){w.malloc, w.calloc} {
			p, err := request(a, 0)
			require.NoError(t, err)
			require.Nil(t, p)
			require.Panics(t, func() { _, _ = request(a, -1) })
		}
		require.NoError(t, w.free(a, nil, 0))
		require.Zero(t, w.usable(nil))
		require.NoError(t, a.Trim())
		require.Nil(t, a.opened(), "nothing was taken yet")

		p, err := w.realloc(a, nil, 0, 0)
		require.NoError(t, err)
		require.Nil(t, p)
		p, err = w.realloc(a, nil, 0, 40)
		require.NoError(t, err)
		require.NotNil(t, p)
		require.Panics(t, func() { _, _ = w.realloc(a, p, 40, -1) })
		p, err = w.realloc(a, p, 40, 0)
		require.NoError(t, err)
		require.Nil(t, p)
		require.Zero(t, a.opened().Stats().LiveBlocks)
	})
}

func TestTooMuch(t *testing.T) {
	eachTwin(t, func(t *testing.T, a *Allocator, w twin) {
		for _, request := range []func(*Allocator, int) (unsafe.Pointer, error){w.malloc, w.calloc} {
			p, err := request(a, math.MaxInt)
			require.Error(t, err)
			require.Nil(t, p)
		}
		p, err := w.malloc(a, 40)
		require.NoError(t, err)
		*(*byte)(p) = 'x'
		moved, err := w.realloc(a, p, 40, math.MaxInt)
		require.Error(t, err)
		require.Nil(t, moved)
		require.EqualValues(t, 'x', *(*byte)(p), "the block is as it was")
		require.NoError(t, w.free(a, p, 40))
	})
}

func TestReslices(t *testing.T) {
	var a Allocator
	b, err := a.Malloc(100)
	require.NoError(t, err)
	require.Len(t, b, 100)
	require.Equal(t, 100, cap(b))
	require.NoError(t, a.Free(b[:0]))
	b, err = a.Malloc(100)
	require.NoError(t, err)
	require.NoError(t, a.Free(b[:2:3]))
	require.NoError(t, a.Free([]byte{}))
	require.Zero(t, a.opened().Stats().LiveBlocks)
	require.NoError(t, a.Close())
}

func TestTrimGivesBack(t *testing.T) {
	var a Allocator
	var blocks []uintptr
	for range 10000 {
		p, err := a.UintptrMalloc(1000)
		require.NoError(t, err)
		blocks = append(blocks, p)
	}
	for _, p := range blocks[1:] {
		require.NoError(t, a.UintptrFree(p))
	}
	before := a.opened().Stats()
	require.NoError(t, a.Trim())
	require.NotNil(t, a.opened(), "a block is live")
	after := a.opened().Stats()
	require.Less(t, after.InUseBytes, before.InUseBytes)
	require.Less(t, after.CachedBlocks, before.CachedBlocks)
	require.NoError(t, a.UintptrFree(blocks[0]))
	require.NoError(t, a.Trim())
	require.Nil(t, a.opened())
	p, err := a.UintptrMalloc(10)
	require.NoError(t, err, "it is ready for use again")
	require.NoError(t, a.UintptrFree(p))
	require.NoError(t, a.Close())
}

func TestClose(t *testing.T) {
	for _, mode := range []string{"plain", "sealed", "audit"} {
		t.Setenv(allocator.Environment, "mode="+mode)
		var a Allocator
		_, err := a.UintptrMalloc(40)
		require.NoError(t, err)
		err = a.Close()
		if mode == "audit" {
			var leak *allocator.LeakError
			require.ErrorAs(t, err, &leak)
			require.ErrorContains(t, err, "TestClose")
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, Allocator{}, a)
		require.NoError(t, a.Close())
	}
}

func TestAllocatorsAreApart(t *testing.T) {
	var a, b Allocator
	p, err := a.UintptrMalloc(40)
	require.NoError(t, err)
	q, err := b.UintptrMalloc(50)
	require.NoError(t, err)
	require.Equal(t, 40, UintptrUsableSize(p))
	require.Equal(t, 50, UintptrUsableSize(q))
	require.Equal(t, allocator.InvalidFree, violation(t, func() { _ = b.UintptrFree(p) }).Kind)
	require.NoError(t, a.Close())
	require.Equal(t, 50, UintptrUsableSize(q))
	require.NoError(t, b.Close())
}

func TestUsableSizeOfWhatIsNoBlock(t *testing.T) {
	var n int64
	require.PanicsWithValue(t, strings.ReplaceAll("memory: the usable size of 0x… was asked for, which lies in no Allocator's memory", "0x…", hexOf(&n)), func() { UnsafeUsableSize(unsafe.Pointer(&n)) })
	var a Allocator
	p, err := a.UnsafeMalloc(40)
	require.NoError(t, err)
	require.NoError(t, a.UnsafeFree(p))
	require.Equal(t, allocator.UseAfterFree, violation(t, func() { UnsafeUsableSize(p) }).Kind)
	require.NoError(t, a.Close())
}

func TestManyGoroutines(t *testing.T) {
	var a Allocator
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			var blocks [][]byte
			for i := range 5000 {
				b, err := a.Malloc(1 + (i*7+g)%600)
				if err != nil {
					t.Error(err)
					return
				}
				for j := range b {
					b[j] = byte(g)
				}
				if blocks = append(blocks, b); len(blocks) > 50 {
					first := blocks[0]
					if bytes.Count(first, []byte{byte(g)}) != len(first) {
						t.Error("somebody else wrote into a block")
					}
					if err := a.Free(first); err != nil {
						t.Error(err)
					}
					blocks = blocks[1:]
				}
			}
			for _, b := range blocks {
				if err := a.Free(b); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	require.Zero(t, a.opened().Stats().LiveBlocks)
	require.NoError(t, a.Close())
}

// TestAWrongEnvironmentIsTold: what calls may know nothing but that there is no memory.
func TestAWrongEnvironmentIsTold(t *testing.T) {
	if os.Getenv("GLASSHEAP_TEST_WRONG") != "" {
		var a Allocator
		_, err := a.UintptrMalloc(1)
		require.Error(t, err)
		return
	}
	c := exec.Command(os.Args[0], "-test.run=^TestAWrongEnvironmentIsTold$")
	c.Env = append(os.Environ(), "GLASSHEAP_TEST_WRONG=1", "GLASSHEAP=mode=loud")
	var told bytes.Buffer
	c.Stderr = &told
	require.NoError(t, c.Run())
	require.Contains(t, told.String(), `mode accepts plain, sealed, audit, not "loud"`)
}

func TestCountersAreOffWithoutTheirTag(t *testing.T) {
	var a Allocator
	p, err := a.UintptrMalloc(40)
	require.NoError(t, err)
	if counted := a.Allocs != 0; counted {
		require.Equal(t, 1, a.Allocs)
		require.Equal(t, 1, a.Mmaps)
		require.Equal(t, 1<<20, a.Bytes)
	} else {
		require.Zero(t, a.Bytes+a.Mmaps)
	}
	require.NoError(t, a.UintptrFree(p))
	require.Zero(t, a.Allocs)
	require.NoError(t, a.Trim())
	require.Equal(t, Allocator{}, a)
}
