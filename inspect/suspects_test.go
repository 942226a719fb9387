package inspect

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestSuspectsThatAreNotCopiedAreNotLookedAt: a process that frees a lot while it is looked at has more suspects than one stop
// copies. To look at the others, with the metadata of that stop and the bytes of a later moment, made damage of what was freed.
func TestSuspectsThatAreNotCopiedAreNotLookedAt(t *testing.T) {
	const heap, slabPages = uint64(1 << 40), 16
	const fit = mostFrozenBytes / (slabPages * layout.PageBytes)
	var l looked
	for i := range uint64(fit + 3) {
		s := &Slab{base: heap + (1000-i%1000+i/1000*1000)*slabPages*layout.PageBytes, pages: slabPages}
		l.suspects = append(l.suspects, suspect{s, 0}, suspect{s, 1})
	}
	l.guarded = []int{7}
	l.spans = []*Span{{Span: layout.Span{Pages: 30}, base: heap + 1<<35}}
	extents, copied, left := suspectExtents(l, heap)
	require.Equal(t, l.suspects[:2*fit], copied.suspects)
	require.Empty(t, copied.guarded)
	require.Empty(t, copied.spans)
	require.Equal(t, 2*3+1+1, left)
	require.Len(t, extents, fit)
	require.True(t, slices.IsSortedFunc(extents, func(a, b target.Extent) int { return int(a.Offset - b.Offset) }))

	l.suspects = l.suspects[:10]
	extents, copied, left = suspectExtents(l, heap)
	require.Equal(t, l, copied)
	require.Zero(t, left)
	require.Len(t, extents, 5+1+1)
}
