package allocator

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// dumps tells for each page of a heap's range whether a core file would hold it, by the "dd" in /proc/self/smaps
// (proc_pid_smaps(5)), and whether it can be accessed by its mapping.
type dumps struct {
	heap               *Heap
	dumped, accessible []bool
}

func dumpsOf(t *testing.T, h *Heap) dumps {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	require.NoError(t, err)
	pages := h.memory.bytes / layout.PageBytes
	d := dumps{h, make([]bool, pages), make([]bool, pages)}
	var start, end uint64
	readable := false
	for line := range strings.Lines(string(text)) {
		var from, to uint64
		var access string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &access); n == 3 {
			start, end, readable = max(from, h.baseAddress), min(to, h.baseAddress+h.memory.bytes), access[0] == 'r'
		}
		flags, found := strings.CutPrefix(line, "VmFlags:")
		if !found {
			continue
		}
		dumped := !slices.Contains(strings.Fields(flags), "dd")
		for at := start; at < end; at += layout.PageBytes {
			i := (at - h.baseAddress) / layout.PageBytes
			d.dumped[i], d.accessible[i] = dumped, readable
		}
	}
	return d
}

// holds says whether all pages of a range are dumped, and lacks whether none is.
func (d dumps) holds(start, bytes uint64) bool { return !slices.Contains(d.part(start, bytes), false) }
func (d dumps) lacks(start, bytes uint64) bool { return !slices.Contains(d.part(start, bytes), true) }

func (d dumps) part(start, bytes uint64) []bool {
	from := (start - d.heap.baseAddress) / layout.PageBytes
	return d.dumped[from : from+(bytes+layout.PageBytes-1)/layout.PageBytes]
}

// TestCoresHoldWhatIsInUse: a reserve of 64 GiB would fill a disk, and what a block holds has to be there, also where memory was
// given back and taken again.
func TestCoresHoldWhatIsInUse(t *testing.T) {
	for _, backing := range []Backing{BackingMemfd, BackingAnonymous} {
		h := newHeap(t, Options{Backing: backing, ReserveBytes: 1 << 30})
		whole := func() {
			t.Helper()
			d := dumpsOf(t, h)
			require.Equal(t, d.accessible, d.dumped, "%v: what is accessible, and no more", backing)
			require.True(t, d.holds(h.baseAddress, layout.HeaderBytes))
			require.False(t, d.holds(h.data, h.memory.bytes-h.dataOffset))
		}
		whole()
		small, huge := alloc(t, h, 100), alloc(t, h, 3<<20)
		whole()
		require.NoError(t, h.Free(huge))
		whole() // what is retained is not in use
		huge = alloc(t, h, 2<<20)
		whole()
		require.NoError(t, h.Free(huge))
		h.Scavenge()
		whole()
		huge = alloc(t, h, 5<<20)
		whole()
		d := dumpsOf(t, h)
		require.True(t, d.holds(uint64(uintptr(place(huge))), uint64(len(huge))))
		require.NoError(t, h.Free(huge))
		require.NoError(t, h.Free(small))
	}
}

// TestCoresLackGuardPages: at one that is not left out, gcore stops and loses what lies behind it. In a sealed heap they are
// not left out where every large allocation would pay for it.
func TestCoresLackGuardPages(t *testing.T) {
	h := newHeap(t, Options{Mode: ModeAudit, GuardRate: 3, ReserveBytes: 64 << 20, QuarantineBytes: 1 << 20})
	var spans [][]byte
	for range 10 {
		spans = append(spans, alloc(t, h, 100<<10))
	}
	guarded := malloc(t, h, 10)
	for !h.inGuardPages(uint64(uintptr(guarded))) {
		guarded = malloc(t, h, 10)
	}
	d := dumpsOf(t, h)
	for _, b := range spans {
		s := h.spanAt(uint64(uintptr(place(b))))
		require.True(t, d.holds(s.Base, s.Pages*layout.PageBytes))
		require.True(t, d.lacks(s.Base+s.Pages*layout.PageBytes, layout.PageBytes))
	}
	for i := range layout.GuardSlots {
		page := h.guardPages + layout.GuardPage(i)
		require.True(t, d.holds(page, layout.PageBytes))
		require.True(t, d.lacks(page+layout.PageBytes, layout.PageBytes))
	}
	require.True(t, d.lacks(h.guardPages, layout.PageBytes))

	// Freed ones are inaccessible as a whole while they are held back, and their pages are somebody's afterwards.
	for _, b := range spans {
		require.NoError(t, h.Free(b))
	}
	d = dumpsOf(t, h)
	last := uint64(h.header().SpanQuarantineLast)
	s := at[layout.Span](h, last)
	require.True(t, d.lacks(s.Base, (s.Pages+1)*layout.PageBytes))
	require.NoError(t, h.SetMode(ModeSealed))
	h.lockPages()
	h.limitSpanQuarantine(0)
	h.unlockPages()
	require.Len(t, h.memory.hidden, layout.GuardSlots+1, "those of the guard pool")
	d = dumpsOf(t, h)
	require.True(t, d.holds(h.data, h.header().ArenasUsed*layout.ArenaBytes))

	h.lockPages()
	for i := range uint64(2 * mostHidden) {
		h.memory.hide(h.memory.bytes-(i+1)*layout.PageBytes, layout.PageBytes)
	}
	h.unlockPages()
	require.Len(t, h.memory.hidden, mostHidden, "mappings are not without number")
}
