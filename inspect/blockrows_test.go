package inspect_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
)

// rowsOf is the cells of a list of blocks.
func rowsOf(t require.TestingT, h *inspect.Heap, o inspect.BlockOptions, w query.Words) (rows [][]any) {
	q, err := inspect.BlockColumns.Parse(w)
	require.NoError(t, err)
	l, err := h.ListBlocks(context.Background(), o, q)
	require.NoError(t, err)
	for row, err := range l.Table.Cells() {
		require.NoError(t, err)
		rows = append(rows, slices.Clone(row))
	}
	return rows
}

// modelBlock is what the lists of single slabs tell of a block, by which the list of all is judged.
type modelBlock struct{ *inspect.Block }

// busyListed is a heap in all its variety, and each of its blocks as other answers have it.
func busyListed(t *testing.T) (h *inspect.Heap, model []modelBlock) {
	t.Helper()
	made := newHeap(t, allocator.Options{Name: "listed", Mode: allocator.ModeAudit, GuardRate: 16, QuarantineBytes: 32 << 10})
	busy(t, made, 5, 3000)
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, made.SetGuardRate(0))
	b, err := made.Alloc(56)
	require.NoError(t, err)
	seal := (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), 56+2))
	*seal ^= 1
	h = openNamed(t, fileOf(t, image(t, made)), self)
	*seal ^= 1
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	for _, s := range slabs.Slabs {
		blocks, err := h.Blocks(uint64(s.Base))
		require.NoError(t, err)
		for _, b := range blocks.Blocks {
			model = append(model, modelBlock{b})
		}
	}
	return h, model
}

func site(o *inspect.Operation) string {
	if o == nil || len(o.Frames) == 0 {
		return ""
	}
	return o.Frames[0].Function
}

// TestTheListOfAllBlocks has each block of each slab once, and says of it what the list of its slab says; and the spans and
// guarded blocks, so that what is live is what stats counts.
func TestTheListOfAllBlocks(t *testing.T) {
	h, model := busyListed(t)
	columns := "address,state,size,room,bin,slab,index,seal,sequence,goroutine,site,freed_by,kind"
	all := rowsOf(t, h, inspect.BlockOptions{Virgin: true}, query.Words{Columns: columns})
	require.True(t, slices.IsSortedFunc(all, func(a, b []any) int { return int(int64(a[0].(uint64)) - int64(b[0].(uint64))) }), "by address")
	byAddress := map[uint64][]any{}
	kinds := map[string]int{}
	for _, row := range all {
		byAddress[row[0].(uint64)] = row
		kinds[row[12].(string)]++
	}
	require.Len(t, byAddress, len(all), "each once")
	require.Equal(t, len(model), kinds["block"])
	require.NotZero(t, kinds["span"])
	require.NotZero(t, kinds["guarded"])
	known := func(n int, ok bool) any {
		if !ok {
			return nil
		}
		return n
	}
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	recorded := 0
	for _, b := range model {
		want := []any{uint64(b.Address), b.Place.String(), known(b.Requested, b.Requested >= 0), b.Size, b.Bin, b.Slab, b.Index, string(b.Seal), nil, nil, text(site(b.Allocated)), text(site(b.Freed)), "block"}
		if b.Allocated != nil {
			want[8], want[9] = int(b.Allocated.Sequence), known(int(b.Allocated.Goroutine), b.Allocated.Goroutine != 0)
			recorded++
		}
		require.Equal(t, want, byAddress[uint64(b.Address)])
	}
	require.NotZero(t, recorded)
	stats, err := h.Stats(t.Context())
	require.NoError(t, err)
	live := rowsOf(t, h, inspect.BlockOptions{}, query.Words{Where: `state == "live"`})
	guarded := rowsOf(t, h, inspect.BlockOptions{}, query.Words{Where: `kind == "guarded" and state == "live"`})
	require.NotEmpty(t, guarded)
	require.EqualValues(t, []uint64{stats.Heap.LiveBlocks, stats.LiveBlocks, stats.Guarded}, []uint64{uint64(len(live)), uint64(len(live)), uint64(len(guarded))}, "one number of live blocks, in the heap's line and below it")
	// One slab, and virgin blocks only where they are asked for.
	one := model[0].Slab
	n := 0
	for _, b := range model {
		if b.Slab == one {
			n++
		}
	}
	require.Len(t, rowsOf(t, h, inspect.BlockOptions{Slab: uint64(one), OneSlab: true, Virgin: true}, query.Words{}), n)
	require.NotEmpty(t, rowsOf(t, h, inspect.BlockOptions{}, query.Words{Where: `state == "virgin"`}))
	for _, row := range rowsOf(t, h, inspect.BlockOptions{}, query.Words{Columns: "state"}) {
		require.NotEqual(t, "virgin", row[0])
	}
}

// TestConditionsOnBlocks: the rows of which an expression is true are those of which the same is true in Go, over a heap in all
// its variety.
func TestConditionsOnBlocks(t *testing.T) {
	h, model := busyListed(t)
	sites := map[string]bool{"nobody": true}
	for _, b := range model {
		sites[site(b.Allocated)] = true
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range sites {
			if name != "" && !yield(name) {
				return
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		bin := rapid.IntRange(0, 40).Draw(t, "bin")
		place := rapid.SampledFrom([]string{"live", "free", "cached", "depot", "quarantined", "virgin"}).Draw(t, "state")
		name := rapid.SampledFrom(names).Draw(t, "site")
		part := name[strings.LastIndexAny(name, "./")+1:]
		size := func(b modelBlock) int { return max(b.Requested, 0) }
		questions := []struct {
			text string
			of   func(b modelBlock) bool
		}{
			{fmt.Sprintf("size > %d && state == %q", n, place), func(b modelBlock) bool { return size(b) > n && b.Place.String() == place }},
			{fmt.Sprintf("state == %q or bin >= %d", place, bin), func(b modelBlock) bool { return b.Place.String() == place || b.Bin >= bin }},
			{fmt.Sprintf("site contains %q and state != \"virgin\"", part), func(b modelBlock) bool {
				return strings.Contains(site(b.Allocated), part) && b.Place != inspect.PlaceVirgin
			}},
			{fmt.Sprintf("freed_by == %q or state == \"virgin\" and index %% 7 == %d", name, n%7), func(b modelBlock) bool {
				return site(b.Freed) == name || b.Place == inspect.PlaceVirgin && b.Index%7 == n%7
			}},
			{fmt.Sprintf("state in [%q] && room - size > 3 && sequence > %d", place, n), func(b modelBlock) bool {
				return b.Place.String() == place && b.Size-size(b) > 3 && b.Allocated != nil && int(b.Allocated.Sequence) > n
			}},
		}
		q := rapid.SampledFrom(questions).Draw(t, "question")
		var want []any
		for _, b := range model {
			if q.of(b) {
				want = append(want, uint64(b.Address))
			}
		}
		var got []any
		for _, row := range rowsOf(t, h, inspect.BlockOptions{}, query.Words{Where: q.text, And: []string{`kind == "block"`}, Columns: "address"}) {
			got = append(got, row[0])
		}
		require.Equal(t, want, got, q.text)
	})
}
