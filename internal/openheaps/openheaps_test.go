package openheaps

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
)

func heap(t require.TestingT, name string) *allocator.Heap {
	h, err := allocator.New(allocator.Options{Name: name, ReserveBytes: 1 << 20})
	require.NoError(t, err)
	return h
}

func names(counted []Counted) (list []string) {
	for _, c := range counted {
		list = append(list, c.Name)
	}
	return list
}

// TestCountIsOfWhatIsOpen: heaps are made and closed, and what is counted is held against a list of them.
func TestCountIsOfWhatIsOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type told struct {
			name string
			heap *allocator.Heap
			live uint64
		}
		var model []told
		defer func() {
			for _, m := range model {
				_ = m.heap.Close()
			}
		}()
		t.Repeat(map[string]func(*rapid.T){
			"make": func(t *rapid.T) {
				name := rapid.SampledFrom([]string{"a", "b", "a#2"}).Draw(t, "name")
				free := name
				for i := 2; slices.ContainsFunc(model, func(m told) bool { return m.name == free }); i++ {
					free = fmt.Sprintf("%s#%d", name, i)
				}
				model = append(model, told{free, heap(t, name), 0})
			},
			"allocate": func(t *rapid.T) {
				if len(model) == 0 {
					return // there is no heap
				}
				i := rapid.IntRange(0, len(model)-1).Draw(t, "heap")
				_, err := model[i].heap.Alloc(10)
				require.NoError(t, err)
				model[i].live++
			},
			"close": func(t *rapid.T) {
				if len(model) == 0 {
					return // there is no heap
				}
				i := rapid.IntRange(0, len(model)-1).Draw(t, "heap")
				_ = model[i].heap.Close()
				model = slices.Delete(model, i, i+1)
			},
			"": func(t *rapid.T) {
				all := Count()
				require.Len(t, all, len(model))
				for i, m := range model {
					require.Equal(t, m.name, all[i].Name)
					require.Equal(t, m.live, all[i].LiveBlocks)
					require.Equal(t, []Counted{all[i]}, Count(m.heap))
				}
			},
		})
	})
}

// TestCountWhileHeapsAreClosed: whoever counts meets no memory that was given back.
func TestCountWhileHeapsAreClosed(t *testing.T) {
	stop := make(chan struct{})
	var counters sync.WaitGroup
	for range 2 {
		counters.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					Count()
				}
			}
		})
	}
	for range 200 {
		h := heap(t, "short")
		_, err := h.Alloc(100)
		require.NoError(t, err)
		_ = h.Close()
	}
	close(stop)
	counters.Wait()
	require.Empty(t, names(Count()))
}

// TestACloseIsNotCountedAgain: a heap that was closed before anybody asked is not among those that are given.
func TestACloseIsNotCountedAgain(t *testing.T) {
	h := heap(t, "closed")
	require.NoError(t, h.Close())
	require.Empty(t, Count(h))
}
