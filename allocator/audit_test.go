package allocator

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

func auditHeap(t *testing.T) *Heap {
	return newHeap(t, Options{Mode: ModeAudit, ReserveBytes: 64 << 20, Policy: PolicyReport})
}

// TestAuditedBlocksAreWhatTheySeem: all kinds of operations on all kinds of blocks, and a heap that is sound at the end.
func TestAuditedBlocksAreWhatTheySeem(t *testing.T) {
	h := auditHeap(t)
	for range 20 {
		var live [][]byte
		for n := 1; n < 1<<20; n += n/3 + 1 {
			b, err := h.Alloc(n)
			require.NoError(t, err)
			require.Len(t, b, n)
			require.Equal(t, bytes.Repeat([]byte{layout.FreshByte}, min(n, 4096)&^7), b[:min(n, 4096)&^7], "uninitialised memory is recognised")
			for i := range b {
				b[i] = byte(n)
			}
			a, err := h.AllocAligned(n, 64)
			require.NoError(t, err)
			live = append(live, b, a)
		}
		sound(t, h)
		for i, b := range live {
			if i%3 == 0 {
				grown, err := h.Realloc(b, len(b)+100)
				require.NoError(t, err)
				b = grown
			}
			require.NoError(t, h.Free(b))
		}
		sound(t, h)
	}
	require.Zero(t, h.Stats().LiveBlocks)
	require.NotZero(t, h.Stats().Quarantined)
}

// TestTheModeCanChange while goroutines use the heap.
func TestTheModeCanChange(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 64 << 20})
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		all.Go(func() {
			var live [][]byte
			for n := 1; ; n = n*7%3001 + 1 {
				select {
				case <-stop:
					for _, b := range live {
						require.NoError(t, h.Free(b))
					}
					return
				default:
				}
				b, err := h.Alloc(n)
				require.NoError(t, err)
				if live = append(live, b); len(live) > 200 {
					require.NoError(t, h.Free(live[n%200]))
					live[n%200] = live[len(live)-1]
					live = live[:len(live)-1]
				}
			}
		})
	}
	for range 50 {
		require.NoError(t, h.SetMode(ModeAudit))
		require.Equal(t, ModeAudit, h.Mode())
		runtime.Gosched()
		require.NoError(t, h.SetMode(ModeSealed))
		require.Equal(t, ModeSealed, h.Mode())
	}
	close(stop)
	all.Wait()
	sound(t, h)
	require.Zero(t, h.Stats().LiveBlocks)
	require.ErrorContains(t, h.SetMode(ModePlain), "can't become plain")
}

// TestWhatIsHeldBackDoesNotComeBackAtOnce, and comes back in the end.
func TestWhatIsHeldBackDoesNotComeBackAtOnce(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{Mode: ModeAudit, ReserveBytes: 64 << 20, QuarantineBytes: 1 << 20})
	first := malloc(t, h, 64)
	require.NoError(t, h.FreePointer(first))
	for range 512 {
		p := malloc(t, h, 64)
		require.NotEqual(t, first, p)
		require.NoError(t, h.FreePointer(p))
	}
	again := false
	for range 20000 {
		p := malloc(t, h, 64)
		again = again || p == first
		require.NoError(t, h.FreePointer(p))
	}
	require.True(t, again)
	sound(t, h)
}

// TestOneOfTwoFreesWins, however close they come.
func TestOneOfTwoFreesWins(t *testing.T) {
	h := newHeap(t, Options{Mode: ModeAudit, ReserveBytes: 64 << 20, OnViolation: func(*Violation) {}})
	for range 20000 {
		p := malloc(t, h, 64)
		var refused [2]error
		var ready, done sync.WaitGroup
		ready.Add(2)
		for i := range refused {
			done.Go(func() {
				ready.Done()
				ready.Wait()
				refused[i] = h.FreePointer(p)
			})
		}
		done.Wait()
		first, second := (*Violation)(nil), (*Violation)(nil)
		if refused[0] != nil {
			require.ErrorAs(t, refused[0], &first)
		}
		if refused[1] != nil {
			require.ErrorAs(t, refused[1], &second)
		}
		require.NotEqual(t, first == nil, second == nil, "exactly one is told: %v, %v", refused[0], refused[1])
		if first == nil {
			first = second
		}
		require.Equal(t, DoubleFree, first.Kind)
	}
	sound(t, h)
}

// TestGoroutinesHaveTheirIDs as tracebacks print them.
func TestGoroutinesHaveTheirIDs(t *testing.T) {
	h := auditHeap(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p := malloc(t, h, 40)
		s, index := h.slabAndIndex(uint64(uintptr(p)))
		r := h.record(s, index)
		require.Equal(t, tracedGoroutine(), r.AllocGoroutine)
		addresses := frames(h.stackAt(r.AllocStack.Offset()))
		names := ""
		all := runtime.CallersFrames(*(*[]uintptr)(unsafe.Pointer(&addresses)))
		for more := true; more; {
			var f runtime.Frame
			f, more = all.Next()
			names += f.Function + "\n"
		}
		require.Contains(t, names, "TestGoroutinesHaveTheirIDs.func1")
		require.Contains(t, names, "allocator.malloc\n")
		require.NoError(t, h.FreePointer(p))
	}()
	<-done
}
