package allocator

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/internal/debugging"
)

// hugeHeap is a heap on huge pages; the test is skipped where the system grants none.
func hugeHeap(t *testing.T, o Options) *Heap {
	t.Helper()
	m, err := reserve(Options{Backing: BackingMemfd}, 2*hugeBytes)
	require.NoError(t, err)
	defer m.close()
	require.NoError(t, m.commit(0, hugeBytes))
	if err := m.collapse(0, hugeBytes); err != nil {
		debugging.Skip(t, "the system grants no huge pages: Linux 6.1 and later do, with transparent hugepages compiled in; "+err.Error())
	}
	o.HugePages = true
	return newHeap(t, o)
}

// mappedHuge is how many bytes of the heap the system has mapped by huge pages.
func mappedHuge(t *testing.T, h *Heap) (bytes int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	require.NoError(t, err)
	base, size := h.Range()
	inside := false
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		var from, to uint64
		if n, _ := fmt.Sscanf(fields[0], "%x-%x", &from, &to); n == 2 {
			inside = from >= base && to <= base+size
		}
		if inside && (fields[0] == "ShmemPmdMapped:" || fields[0] == "AnonHugePages:") {
			kB, err := strconv.Atoi(fields[1])
			require.NoError(t, err)
			bytes += kB << 10
		}
	}
	return bytes
}

// TestArenasLieOnHugePages, as the system says, for a memfd and for anonymous memory.
func TestArenasLieOnHugePages(t *testing.T) {
	for _, backing := range []Backing{BackingMemfd, BackingAnonymous} {
		h := hugeHeap(t, Options{Backing: backing})
		for range 100_000 {
			*(*byte)(malloc(t, h, 56)) = 1
		}
		s := h.Stats()
		require.NoError(t, s.HugeRefused)
		require.GreaterOrEqual(t, s.HugeBytes, s.MappedBytes-1<<20, "but for the first arena, which may not begin a pair")
		require.EqualValues(t, s.HugeBytes, mappedHuge(t, h), "%s", backing)
		require.LessOrEqual(t, s.RetainedBytes, uint64(hugeBytes), "the end of the last pair")
		sound(t, h)
	}
}

// TestRetainedArenasAreNoPairs: pages that are needed lie on huge ones all the same.
func TestRetainedArenasAreNoPairs(t *testing.T) {
	h := hugeHeap(t, Options{})
	require.NoError(t, h.Free(alloc(t, h, 5<<20)))
	for range 2 { // the first arena may not begin a pair
		malloc(t, h, 900<<10)
	}
	require.EqualValues(t, hugeBytes, h.Stats().HugeBytes)
	sound(t, h)
}

// TestPairsComeAndGoWhole: what is free on a huge page stays, until the whole of it is free.
func TestPairsComeAndGoWhole(t *testing.T) {
	oneCache(t)
	h := hugeHeap(t, Options{RetainBytes: 1})
	var spans [][]byte
	for range 9 {
		spans = append(spans, alloc(t, h, 900<<10))
	}
	huge := h.Stats().HugeBytes
	require.GreaterOrEqual(t, huge, uint64(8<<20))
	for i := 0; i < len(spans); i += 2 {
		require.NoError(t, h.Free(spans[i]))
	}
	require.Equal(t, huge, h.Stats().HugeBytes, "half of each pair is in use")
	require.NotZero(t, h.Stats().RetainedBytes)
	sound(t, h)
	h.Scavenge()
	require.Zero(t, h.Stats().HugeBytes, "Scavenge takes huge pages apart")
	require.Zero(t, h.Stats().RetainedBytes)
	sound(t, h)
	for i := 1; i < len(spans); i += 2 {
		require.NoError(t, h.Free(spans[i]))
	}
	require.LessOrEqual(t, h.Stats().MappedBytes, uint64(2<<20), "one is kept")
	require.LessOrEqual(t, held(t, h), int64(2<<20))
	sound(t, h)
}

// TestAHeapAtRestKeepsNoHugePage that is free.
func TestAHeapAtRestKeepsNoHugePage(t *testing.T) {
	oneCache(t)
	h := hugeHeap(t, Options{ScavengeAfter: time.Hour})
	var spans [][]byte
	for range 5 {
		spans = append(spans, alloc(t, h, 900<<10))
	}
	var pair, others [][]byte // the first that is free is kept
	for i, b := range spans {
		if _, count := h.pairOf(uint64(i)); count == arenasOfPair {
			pair = append(pair, b)
		} else {
			others = append(others, b)
		}
	}
	for _, b := range append(pair, others...) {
		require.NoError(t, h.Free(b))
	}
	require.EqualValues(t, hugeBytes, h.Stats().HugeBytes)
	for h.scavenger.giveBack(h) > 0 {
	}
	require.Zero(t, held(t, h))
	require.Zero(t, h.Stats().HugeBytes)
	sound(t, h)
}

// TestGuardPagesOnHugePages fault as everywhere; the free pages around them hold memory still.
func TestGuardPagesOnHugePages(t *testing.T) {
	h := hugeHeap(t, Options{Mode: ModePlain})
	for range 30 {
		b := alloc(t, h, 100<<10)
		clear(b)
		require.True(t, faults(unsafe.Add(place(b), 100<<10)))
	}
	require.NotZero(t, h.Stats().HugeBytes)
	sound(t, h)
}

// TestHugePagesKeepToTheLimit: there they are taken apart, and no new ones are made.
func TestHugePagesKeepToTheLimit(t *testing.T) {
	oneCache(t)
	for reserve := range int64(8) { // a pair begins at the one arena or at the other
		h := hugeHeap(t, Options{LimitBytes: 3<<20 + 512<<10, ReserveBytes: 64<<20 + reserve<<20})
		for range 3 {
			alloc(t, h, 900<<10)
			require.LessOrEqual(t, counted(h), uint64(3<<20+512<<10), "a further pair would be too much")
		}
	}
	h := hugeHeap(t, Options{})
	for range 4 {
		alloc(t, h, 500<<10)
	}
	limit := int64(h.Stats().InUseBytes) + 100<<10
	require.NoError(t, h.SetLimit(limit))
	require.LessOrEqual(t, counted(h), uint64(limit))
	sound(t, h)
	h = hugeHeap(t, Options{LimitBytes: 5 << 20})
	for range 3 {
		for _, n := range []int{1000, 100 << 10, 56, 1500 << 10} {
			blocks := fill(t, h, n)
			require.Greater(t, len(blocks)*n, 2<<20, n)
			require.LessOrEqual(t, counted(h), uint64(5<<20))
			require.LessOrEqual(t, held(t, h), int64(5<<20))
			for _, p := range blocks {
				require.NoError(t, h.FreePointer(p))
			}
			sound(t, h)
		}
	}
}

// TestHugePagesThatAreRefused cost nothing but themselves, and Stats says why.
func TestHugePagesThatAreRefused(t *testing.T) {
	h := newHeap(t, Options{HugePages: true, Path: t.TempDir() + "/heap"})
	for range 5 {
		alloc(t, h, 900<<10)
	}
	s := h.Stats()
	if s.HugeBytes > 0 {
		debugging.Skip(t, "this file system has huge pages: set TMPDIR to a folder on one that has none, ext4 or a tmpfs without huge=")
	}
	require.True(t, errors.Is(s.HugeRefused, syscall.EINVAL), "%v", s.HugeRefused)
	require.EqualValues(t, 5<<20, s.MappedBytes)
	require.Zero(t, s.RetainedBytes)
	sound(t, h)
	require.NoError(t, newHeap(t, Options{}).Stats().HugeRefused, "not wanted, not refused")
}

// TestPairsBeginAtHugePages, whatever place in the memory the data have: the parity of an arena depends on it.
func TestPairsBeginAtHugePages(t *testing.T) {
	seen := map[uint64]bool{} // where in a huge page the data begin
	for reserve := int64(8 << 20); len(seen) < arenasOfPair && reserve < 1<<30; reserve += 1 << 20 {
		place := layout.Place(uint32(reserve>>20)).Data % hugeBytes
		if seen[place] {
			continue
		}
		seen[place] = true
		h := hugeHeap(t, Options{ReserveBytes: reserve})
		for range 6 {
			alloc(t, h, 900<<10)
		}
		require.NoError(t, h.Stats().HugeRefused)
		require.GreaterOrEqual(t, h.Stats().HugeBytes, uint64(4<<20))
		for i := range h.header().ArenasUsed {
			if first, count := h.pairOf(i); count == arenasOfPair {
				require.Zero(t, (h.data+first*layout.ArenaBytes)%hugeBytes)
				require.True(t, first == i || first+1 == i)
			}
		}
	}
	require.Len(t, seen, arenasOfPair)
}
