package allocator

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator/layout"
)

// held is how many bytes of memory the system has for the arenas of a heap.
func held(t *testing.T, h *Heap) int64 {
	t.Helper()
	total := int64(0)
	residence := make([]byte, layout.PagesPerArena)
	for i := range h.header().ArenasUsed {
		if h.arena(i).State == layout.ArenaUnmapped {
			continue
		}
		_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(h.pointer(h.data+i*layout.ArenaBytes)), layout.ArenaBytes, uintptr(unsafe.Pointer(&residence[0])))
		require.Zero(t, errno)
		for _, r := range residence {
			total += int64(r&1) * layout.PageBytes
		}
	}
	return total
}

func fillAndFree(t *testing.T, h *Heap, n, count int) {
	t.Helper()
	blocks := make([][]byte, count)
	for i := range blocks {
		blocks[i] = alloc(t, h, n)
		for at := 0; at < n; at += 512 {
			blocks[i][at] = 1
		}
	}
	for _, b := range blocks {
		require.NoError(t, h.Free(b))
	}
}

// TestWhatIsFreeIsGivenBack: slabs to their arenas, arenas to the system.
func TestWhatIsFreeIsGivenBack(t *testing.T) {
	oneCache(t)
	for _, backing := range []Backing{BackingMemfd, BackingAnonymous} {
		h := newHeap(t, Options{Backing: backing})
		for _, n := range []int{56, 1024, 20 << 10} {
			fillAndFree(t, h, n, 5<<20/n)
		}
		h.Scavenge()
		s := h.Stats()
		require.Zero(t, s.LiveBlocks)
		// What the P's magazines keep: a few slabs of each of the three classes.
		require.LessOrEqual(t, s.CachedBlocks, uint64(3*layout.MagazineBlocks), backing)
		require.LessOrEqual(t, s.Slabs, uint64(10), backing)
		require.LessOrEqual(t, s.InUseBytes, uint64(1<<20), backing)
		for i := range int(h.header().Identity.BinCount) {
			require.Zero(t, h.bin(i).EmptyCount, "empty slabs of bin %d", i)
			require.Zero(t, h.bin(i).DepotBlocks, "the depot of bin %d", i)
		}
		require.LessOrEqual(t, s.MappedBytes, uint64(8<<20), backing)
		require.LessOrEqual(t, held(t, h), int64(s.InUseBytes), "%s: no free page holds memory", backing)
		sound(t, h)
	}
}

// TestEmptySlabsAreGivenBackUnasked: a bin keeps one empty slab and an eighth of all.
func TestEmptySlabsAreGivenBackUnasked(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{})
	fillAndFree(t, h, 20<<10, 2000)
	require.Less(t, h.Stats().Slabs, uint64(60), "of 700")
	require.NotZero(t, h.bin(int(h.classOf[20<<10/layout.ClassGrain])).EmptyCount, "some are kept for what comes next")
	sound(t, h)
}

// TestRetainBytes is how much memory of free pages is kept.
func TestRetainBytes(t *testing.T) {
	for retain, most := range map[int64]int64{1: 1 << 20, 0: 17 << 20} { // 0 is 16 MiB; one span more may be dirty for a moment
		h := newHeap(t, Options{RetainBytes: retain, ReserveBytes: 64 << 20})
		var keep [][]byte
		for range 60 { // so that no arena becomes free as a whole
			b := alloc(t, h, 800<<10)
			for at := 0; at < len(b); at += 4096 {
				b[at] = 1
			}
			keep = append(keep, alloc(t, h, 40))
			require.NoError(t, h.Free(b))
		}
		require.LessOrEqual(t, held(t, h), most, retain)
		require.LessOrEqual(t, int64(h.dirtyPages)*layout.PageBytes, max(retain, 16<<20))
		require.NotEmpty(t, keep)
		sound(t, h)
	}
	h := newHeap(t, Options{RetainBytes: 1 << 20})
	spans := [][]byte{alloc(t, h, 400<<10), alloc(t, h, 300<<10), alloc(t, h, 800<<10), alloc(t, h, 900<<10)}
	for _, b := range spans {
		clear(b)
	}
	require.NoError(t, h.Free(spans[0]))
	require.Equal(t, 101+1, h.dirtyPages, "within what is retained: kept, the guard page too")
	require.NoError(t, h.Free(spans[2]))
	require.Zero(t, h.dirtyPages, "above it: given back")
	require.LessOrEqual(t, held(t, h), int64(300<<10+900<<10+4*4096))
	sound(t, h)
}

// TestOneFreeArenaIsKept for the next slab, not two.
func TestOneFreeArenaIsKept(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 8 << 20})
	var spans [][]byte
	for range 5 {
		spans = append(spans, alloc(t, h, 900<<10))
	}
	require.EqualValues(t, 5<<20, h.Stats().MappedBytes)
	for _, b := range spans {
		require.NoError(t, h.Free(b))
	}
	require.EqualValues(t, 1<<20, h.Stats().MappedBytes)
	require.Zero(t, h.Stats().InUseBytes)
	sound(t, h)

	// The kept one is used again, so the next that becomes free is kept.
	first, second := alloc(t, h, 900<<10), alloc(t, h, 900<<10)
	require.EqualValues(t, 2<<20, h.Stats().MappedBytes)
	require.NoError(t, h.Free(second))
	require.EqualValues(t, 2<<20, h.Stats().MappedBytes)
	require.NoError(t, h.Free(first))
	require.EqualValues(t, 1<<20, h.Stats().MappedBytes)
	sound(t, h)
}

// TestStatsCountsWhatIsCached: in the magazines and in the depots.
func TestStatsCountsWhatIsCached(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{})
	fillAndFree(t, h, 1000, 400)
	b := h.bin(int(h.classOf[1000/layout.ClassGrain]))
	require.NotZero(t, b.DepotBlocks)
	require.Equal(t, b.CarvedBlocks-b.FreeBlocks, h.Stats().CachedBlocks)
}
