package inspect_test

import (
	"context"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestOwnHeapInUse: a program that looks at its own heap, while that gives back what is idle or while others use it, is told of the
// damage and of nothing else.
func TestOwnHeapInUse(t *testing.T) {
	for name, atWork := range map[string]bool{"given back": false, "at work": true} {
		t.Run(name, func(t *testing.T) {
			h := newHeap(t, allocator.Options{Name: "own " + name, ScavengeAfter: time.Millisecond})
			b, err := h.Alloc(100)
			require.NoError(t, err)
			self, err := target.Self(target.Options{Heap: h.Name()})
			require.NoError(t, err)
			defer self.Close()
			if atWork {
				end, ended := make(chan struct{}), sync.WaitGroup{}
				ended.Go(func() {
					for {
						select {
						case <-end:
							return
						default:
							use(t, h, 20)
						}
					}
				})
				defer ended.Wait()
				defer close(end)
			}
			past := (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b)))
			for round := range 150 {
				if !atWork {
					use(t, h, 200) // what it frees is given back while check looks
				}
				damaged := round%2 == 0
				if damaged {
					*past ^= 1
				}
				report, err := inspect.Check(context.Background(), self, inspect.CheckOptions{})
				require.NoError(t, err)
				if damaged {
					*past ^= 1
					require.Len(t, report.Findings, 1)
					require.Equal(t, inspect.CodeOverflow, report.Findings[0].Code)
				} else {
					require.Empty(t, report.Findings)
				}
			}
			require.NoError(t, h.Free(b))
		})
	}
}

// use allocates and frees blocks of many sizes, so that slabs come and go.
func use(t *testing.T, h *allocator.Heap, blocks int) {
	var live [][]byte
	for n := range blocks {
		b, err := h.Alloc(1 + n*37%4000)
		if err != nil {
			t.Error(err)
		}
		live = append(live, b)
	}
	for _, b := range live {
		if err := h.Free(b); err != nil {
			t.Error(err)
		}
	}
}
