package inspect_test

import (
	"context"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestStructsKeepsWhatIsWanted: whatever is left out, every struct is judged and counted, and of those that are enough the ones at the lowest
// addresses are kept, however many goroutines looked.
func TestStructsKeepsWhatIsWanted(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "wanted"})
	// The descriptors of slabs that were given back are taken again from the last one on: they lie in another order than the slabs.
	for round := range 2 {
		var blocks [][]byte
		for n := range 1600 {
			b, err := h.Alloc(3000 - n%50)
			require.NoError(t, err)
			blocks = append(blocks, b)
		}
		for _, b := range blocks {
			if round == 0 {
				require.NoError(t, h.Free(b))
			}
		}
		h.Scavenge()
	}
	bytes := image(t, h)
	structs := func(o inspect.StructsOptions) *inspect.StructsReport {
		heap, err := inspect.Open(context.Background(), target.FromBytes(bytes))
		require.NoError(t, err)
		r, err := heap.Structs(context.Background(), o)
		require.NoError(t, err)
		return r
	}
	slabs := 0
	var header layout.Header
	copy(layout.Bytes(&header), bytes)
	base := header.Identity.Base
	for _, j := range structs(inspect.StructsOptions{Type: "Slab"}).Structs {
		if slabs++; slabs%4 != 0 {
			bytes[uint64(j.Address)-base+uint64(unsafe.Offsetof(layout.Slab{}.FreeCount))] ^= 1
		}
	}
	require.Greater(t, slabs, 40, "too few for several goroutines")

	all := structs(inspect.StructsOptions{})
	for _, o := range []inspect.StructsOptions{
		{Most: 3}, {MostWrong: 1}, {Most: 1, MostWrong: 7}, {Most: 2, MostWrong: 1000}, {Wrong: true, MostWrong: 5}, {Type: "slab", Most: 4, MostWrong: 11}, {Type: "Bin", Most: 1},
	} {
		kept, wrong := map[string]int{}, map[string]int{}
		var names []string
		judged, left, more := 0, 0, 0
		for _, j := range all.Structs {
			if o.Type != "" && !strings.EqualFold(o.Type, j.Type) {
				continue
			}
			judged++
			switch {
			case j.Wrong() == 0 && (o.Wrong || o.Most > 0 && kept[j.Type] >= o.Most):
				left++
				continue
			case j.Wrong() == 0:
				kept[j.Type]++
			case o.MostWrong > 0 && wrong[j.Type] >= o.MostWrong:
				more++
				continue
			default:
				wrong[j.Type]++
			}
			names = append(names, j.Name)
		}
		r := structs(o)
		var found []string
		for _, j := range r.Structs {
			found = append(found, j.Name)
		}
		require.Equal(t, names, found, "%+v", o)
		require.Equal(t, []int{judged, left, more}, []int{r.Judged, r.Left, r.More}, "%+v", o)
		if o.Type == "" {
			require.Equal(t, []int{all.Fields, all.Wrong, all.UnderWay}, []int{r.Fields, r.Wrong, r.UnderWay}, "%+v", o)
		}
		require.False(t, o.Type != "Bin" && r.Healthy())
	}

	// Check tells all, and describes as many as it does.
	report, err := inspect.Check(context.Background(), target.FromBytes(bytes), inspect.CheckOptions{})
	require.NoError(t, err)
	counts := 0
	for _, f := range report.Findings {
		if strings.HasPrefix(f.Struct, "Slab ") && f.Field == "FreeCount" {
			counts++
		}
	}
	require.Equal(t, slabs-slabs/4, counts)
}
