package inspect_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// everyPage is the memory of a heap with slabs and a span. Its header claims all of its arenas, and every entry of its page map is
// the one that choose makes of a slab's and of the span's own; pages is how many there are.
func everyPage(t *testing.T, choose func(slab, span layout.PageEntry) layout.PageEntry) (memory []byte, pages int) {
	t.Helper()
	h := newHeap(t, allocator.Options{Name: "lies", ReserveBytes: 32 << 20})
	for _, size := range []int{64, 3000, 100 << 10} {
		_, err := h.Alloc(size)
		require.NoError(t, err)
	}
	memory = image(t, h)
	var head layout.Header
	copy(layout.Bytes(&head), memory)
	id := head.Identity
	head.ArenasUsed, head.ArenasMapped = uint64(id.ArenasMax), uint64(id.ArenasMax)
	copy(memory, layout.Bytes(&head))
	for i := range uint64(id.ArenasMax) {
		a := layout.Arena{ID: uint32(i), State: layout.ArenaPages, Base: id.Data + i*layout.ArenaBytes}
		copy(memory[uint64(id.Arenas)-id.Base+i*layout.ArenaDescriptorBytes:], layout.Bytes(&a))
	}
	pages = int(id.ArenasMax) * layout.PagesPerArena
	entries := memory[uint64(id.PageMap)-id.Base:][:pages*int(layout.PageEntryBytes)]
	first := func(kind layout.PageKind) layout.PageEntry {
		for at := 0; ; at += 8 {
			if e := layout.PageEntry(binary.LittleEndian.Uint64(entries[at:])); e.Kind() == kind {
				return e
			}
		}
	}
	entry := choose(first(layout.PageSlab), first(layout.PageSpan))
	for i := range pages {
		binary.LittleEndian.PutUint64(entries[i*8:], uint64(entry))
	}
	return memory, pages
}

// TestProblemsAreCounted: memory that is wrong in every word is described in part, and the rest of it counted.
func TestProblemsAreCounted(t *testing.T) {
	memory, pages := everyPage(t, func(_, _ layout.PageEntry) layout.PageEntry { return 0x0505050505050505 })
	r, err := inspect.Check(context.Background(), target.FromBytes(memory), inspect.CheckOptions{})
	require.NoError(t, err)
	described, rest := 0, ""
	for _, f := range r.Findings {
		if f.Field == "(entry)" {
			described++
		}
		if f.Struct == "" {
			rest = f.Summary
		}
	}
	require.Equal(t, 1000, described)
	require.Greater(t, pages, 8000)
	require.Regexp(t, `^7\d\d\d more problems of the metadata, not listed$`, rest)
}

// TestOneDescriptorForEveryPage: a page map that names one span, or one slab, for every page does not make as many of them.
func TestOneDescriptorForEveryPage(t *testing.T) {
	for kind, choose := range map[string]func(slab, span layout.PageEntry) layout.PageEntry{
		"slab": func(slab, _ layout.PageEntry) layout.PageEntry { return slab },
		"span": func(_, span layout.PageEntry) layout.PageEntry { return span },
	} {
		t.Run(kind, func(t *testing.T) {
			memory, _ := everyPage(t, choose)
			h, err := inspect.Open(context.Background(), target.FromBytes(memory))
			require.NoError(t, err)
			s, err := h.Stats(context.Background())
			require.NoError(t, err)
			require.LessOrEqual(t, s.Heap.Spans+s.Heap.Slabs, 2)
		})
	}
}
