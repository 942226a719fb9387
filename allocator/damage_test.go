package allocator

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// What a sealed heap says of bytes that were written where nobody may. A damaged block is never handed out again, and the
// heap goes on.

func TestOverflow(t *testing.T) {
	for name, c := range map[string]struct {
		size    int
		written []int // offsets
		says    string
	}{
		"overflow_small_1_byte": {8, []int{8}, "overflow by 1 byte, past a live block of 8"},
		"overflow_small_8_byte": {8, []int{15}, "1 byte written 8 behind the end of a live block of 8, or 1 before the block behind it"},
		"overflow_slack_byte":   {18, []int{18, 19}, "overflow by 2 bytes, past a live block of 18"},
		"overflow_far_slack":    {129, []int{140}, "1 byte written 11 behind the end of a live block of 129"},
		"overflow_last_slack":   {129, []int{143}, "1 byte written 14 behind the end of a live block of 129"},
		"overflow_large_1_byte": {256 << 10, []int{256 << 10}, "overflow by 1 byte, past a live span of 262144"},
		"overflow_large_8_byte": {256 << 10, []int{256<<10 + 7}, "overflow by 8 bytes, past a live span of 262144"},
		"overflow_large_seal":   {256<<10 - 8, []int{256<<10 - 8}, "overflow by 1 byte, past a live span of 262136"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHeap(t, Options{})
			a := alloc(t, h, c.size)
			for _, offset := range c.written {
				*past(a, offset) ^= 0x41
			}
			_, err := h.UsableSize(place(a))
			violated(t, err, Overflow, "during usable size", c.says)
			_, err = h.Realloc(a, c.size+1)
			violated(t, err, Overflow, "during realloc", c.says)
			v := violated(t, h.Free(a), Overflow, "during free", c.says)
			require.Equal(t, uint64(uintptr(place(a))), v.Block)
		})
	}
}

// TestOverflowOfAnAlignedBlock tells offsets from the address that the user has, and finds a mark that was written over.
func TestOverflowOfAnAlignedBlock(t *testing.T) {
	h := newHeap(t, Options{})
	alloc(t, h, 156)
	a, err := h.AllocAligned(100, 64)
	require.NoError(t, err)
	require.Zero(t, uintptr(place(a))%64)
	*past(a, 102) ^= 1
	violated(t, h.Free(a), Overflow, "1 byte written 2 behind the end of a live block of 100")
	a, err = h.AllocAligned(100, 64)
	require.NoError(t, err)
	*past(a, -1) ^= 1
	v := violated(t, h.Free(a), Underflow, "underflow by 1 byte, before a live block of 100")
	require.Equal(t, 100, v.Size)
	violated(t, h.Free(a[8:]), InvalidFree, "inside a live block") // that is no address AllocAligned returns
	*past(a, -1) ^= 1
	violated(t, h.Free(a[16:]), InvalidFree, "inside a live block")
	require.NoError(t, h.Free(a))
}

// TestOverflowOfASmallSpan: what is too much aligned for a bin lies in a span, however few its bytes.
func TestOverflowOfASmallSpan(t *testing.T) {
	h := newHeap(t, Options{})
	for _, n := range []int{1, 7, 8, 15, 16, 17} {
		a, err := h.AllocAligned(n, 1<<20)
		require.NoError(t, err)
		*past(a, n) ^= 1
		violated(t, h.Free(a), Overflow, fmt.Sprintf("overflow by 1 byte, past a live span of %d", n))
		*past(a, n) ^= 1
		require.NoError(t, h.Free(a))
	}
}

func TestOverflowOfEverySize(t *testing.T) { // overflow_every_size
	h := newHeap(t, Options{})
	for n := 1; n <= 1100; n++ {
		a := alloc(t, h, n)
		*past(a, n) ^= 1
		violated(t, h.Free(a), Overflow)
	}
	require.EqualValues(t, 1100, h.Stats().Withdrawn)
	require.Zero(t, h.Stats().LiveBlocks)
	sound(t, h)
}

func TestUnderflow(t *testing.T) { // underflow_1_byte
	h := newHeap(t, Options{})
	before, a := neighbours(t, h, 64)
	*past(a, -1) ^= 1
	v := violated(t, h.Free(a), Underflow, "underflow by 1 byte, before a live block of 64", "block before it, at "+layout.Hex(uint64(uintptr(place(before)))))
	require.Equal(t, uint64(uintptr(place(a))), v.Block)
	*past(a, -1) ^= 1
	require.NoError(t, h.Free(a))
	require.NoError(t, h.Free(before))
	sound(t, h)
}

// neighbours are two blocks that lie side by side.
func neighbours(t *testing.T, h *Heap, n int) (before, behind []byte) {
	t.Helper()
	stride := int(h.class[h.classOf[(n+7)/8]].stride)
	blocks := map[unsafe.Pointer][]byte{}
	for range 200 {
		b := alloc(t, h, n)
		blocks[place(b)] = b
		if other := blocks[unsafe.Add(place(b), -stride)]; other != nil {
			return other, b
		}
		if other := blocks[unsafe.Add(place(b), stride)]; other != nil {
			return b, other
		}
	}
	t.Fatal("no two blocks lie side by side")
	return nil, nil
}

// TestTheNeighbourOfADamagedBlockCanBeFreed, once the heap has told of the damage.
func TestTheNeighbourOfADamagedBlockCanBeFreed(t *testing.T) {
	h := newHeap(t, Options{})
	for range 100 { // magazines fill up meanwhile
		before, a := neighbours(t, h, 64)
		*past(before, 64+5) ^= 1
		violated(t, h.Free(a), Underflow)
		violated(t, h.Free(before), Overflow)
		require.NoError(t, h.Free(a))
		violated(t, h.Free(a), DoubleFree)
	}
	sound(t, h)

	// And one that was allocated aligned.
	first := alloc(t, h, 156)
	a, err := h.AllocAligned(100, 64)
	require.NoError(t, err)
	s, index := slabOf(h, a)
	if block := s.Base + uint64(index)*uint64(s.Stride); block == uint64(uintptr(place(first)))+uint64(s.Stride) {
		*past(first, 156+9) ^= 1
		violated(t, h.Free(first), Overflow)
	}
	require.NoError(t, h.Free(a))
	sound(t, h)
}

// TestWriteAfterFree: who allocates is given another block.
func TestWriteAfterFree(t *testing.T) {
	oneCache(t)
	var got []*Violation
	h := newHeap(t, Options{OnViolation: func(v *Violation) { got = append(got, v) }})
	a := alloc(t, h, 64)
	require.NoError(t, h.Free(a))
	*past(a, 66) ^= 0x10
	b := alloc(t, h, 64)
	require.Len(t, got, 1)
	v := violated(t, got[0], WriteAfterFree, "during alloc", "the seal of a free block is written over", "seal broken")
	require.Equal(t, uint64(uintptr(place(a))), v.Block)
	require.NotEqual(t, place(a), place(b))
	require.EqualValues(t, 1, h.Stats().Withdrawn)
	violated(t, h.Free(a), InvalidFree, "the block was found damaged before and is out of use")
	sound(t, h)
}

// TestDamagedBlocksNeverComeBack, whatever is allocated and freed afterwards.
func TestDamagedBlocksNeverComeBack(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 1 << 20})
	damaged := map[unsafe.Pointer]bool{}
	for range 100 {
		a := alloc(t, h, 500)
		*past(a, 500) ^= 1
		violated(t, h.Free(a), Overflow)
		damaged[place(a)] = true
	}
	for range 3 {
		blocks := drain(t, h, 500)
		for _, p := range blocks {
			require.False(t, damaged[p])
		}
		for _, p := range blocks {
			require.NoError(t, h.FreePointer(p))
		}
		h.Scavenge()
	}
	require.EqualValues(t, 100, h.Stats().Withdrawn)
	sound(t, h)
}

// TestADamagedBlockThatIsFreedTwice is free and out of use at once, until the magazine that has it comes by it.
func TestADamagedBlockThatIsFreedTwice(t *testing.T) {
	oneCache(t)
	for name, comeBy := range map[string]func(h *Heap){
		"alloc": func(h *Heap) { alloc(t, h, 64) },
		"flush": func(h *Heap) {
			blocks := make([][]byte, 30000) // more than the depot holds
			for i := range blocks {
				blocks[i] = alloc(t, h, 64)
			}
			for _, b := range blocks {
				require.NoError(t, h.Free(b))
			}
			for i := range blocks[:20000] {
				blocks[i] = alloc(t, h, 64)
			}
		},
		"scavenge": func(h *Heap) {
			for range 3 * layout.MagazineBlocks { // into the depot
				defer h.Free(alloc(t, h, 64))
			}
			defer h.Scavenge()
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHeap(t, Options{})
			blocks := make([][]byte, 3*layout.MagazineBlocks)
			for i := range blocks {
				blocks[i] = alloc(t, h, 64)
			}
			for _, b := range blocks {
				require.NoError(t, h.Free(b))
			}
			a := blocks[len(blocks)-1]
			*past(a, 70) ^= 1
			violated(t, h.Free(a), Overflow)
			comeBy(h)
			if name == "scavenge" {
				drainMagazine(t, h)
			}
			require.EqualValues(t, 1, h.Stats().Withdrawn)
			sound(t, h)
		})
	}
}

func drainMagazine(t *testing.T, h *Heap) {
	t.Helper()
	for range 2 * layout.MagazineBlocks {
		alloc(t, h, 64)
	}
}
