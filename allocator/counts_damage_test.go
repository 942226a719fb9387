package allocator

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// TestCountsThatWereWrittenOver: what runs in the background, and who asks for figures, do not follow counts in the heap's memory to
// caches and journals that were never made.
func TestCountsThatWereWrittenOver(t *testing.T) {
	h := newHeap(t, Options{Mode: ModeAudit})
	b, err := h.Alloc(100)
	require.NoError(t, err)
	before := h.Stats()
	head := h.header()
	caches, journals := head.CachesReady, head.JournalsReady
	head.CachesReady, head.JournalsReady = layout.MaxCaches, layout.MaxCaches
	require.Equal(t, before, h.Stats())
	for bin := range int(head.Identity.BinCount) {
		h.traffic(bin)
	}
	h.Scavenge()
	head.CachesReady, head.JournalsReady = caches, journals
	require.NoError(t, h.Free(b))
}
