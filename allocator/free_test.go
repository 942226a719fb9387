package allocator

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator/layout"
)

// What Free says of what it should never have been passed. The names are those of the cases that the project is held to.

var freeCases = map[string]func(t *testing.T, h *Heap){
	"double_free_small": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 16)
		require.NoError(t, h.Free(a))
		v := violated(t, h.Free(a), DoubleFree, "the block is free already", "bin 1")
		require.Equal(t, uint64(uintptr(place(a))), v.Block)
	},
	"double_free_small_delayed": func(t *testing.T, h *Heap) {
		a, b := alloc(t, h, 16), alloc(t, h, 16)
		require.NoError(t, h.Free(a))
		require.NoError(t, h.Free(b))
		violated(t, h.Free(a), DoubleFree)
	},
	"double_free_large": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 256<<10)
		require.NoError(t, h.Free(a))
		violated(t, h.Free(a), DoubleFree, "the span that began here is free already")
	},
	"double_free_large_delayed": func(t *testing.T, h *Heap) {
		a, b := alloc(t, h, 256<<10), alloc(t, h, 256<<10)
		require.NoError(t, h.Free(a))
		require.NoError(t, h.Free(b))
		violated(t, h.Free(a), DoubleFree)
	},
	"double_free_of_a_slab's_block": func(t *testing.T, h *Heap) { // not in a magazine any more
		var blocks [][]byte
		for range 3 * layout.MagazineBlocks {
			blocks = append(blocks, alloc(t, h, 16))
		}
		for _, b := range blocks[:len(blocks)-1] { // the last one keeps the slab
			require.NoError(t, h.Free(b))
		}
		h.Scavenge()
		for _, b := range blocks[:len(blocks)-1] {
			violated(t, h.Free(b), DoubleFree)
		}
	},
	"double_free_of_an_aligned_block": func(t *testing.T, h *Heap) {
		alloc(t, h, 156) // so that the next is not aligned by chance
		a, err := h.AllocAligned(100, 64)
		require.NoError(t, err)
		require.NoError(t, h.Free(a))
		violated(t, h.Free(a), DoubleFree)
	},
	"unaligned_free_small": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 16)
		v := violated(t, h.FreePointer(unsafe.Pointer(&a[1])), InvalidFree, "the address is 1 bytes inside a live block of 16 bytes")
		require.Equal(t, uint64(uintptr(place(a))), v.Block)
		require.NoError(t, h.Free(a))
	},
	"unaligned_free_large": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 256<<10)
		violated(t, h.FreePointer(unsafe.Pointer(&a[1])), InvalidFree, "the address is 1 bytes inside a span")
		violated(t, h.FreePointer(unsafe.Pointer(&a[4096+7])), InvalidFree, "the address is 4103 bytes inside a span")
		require.NoError(t, h.Free(a))
	},
	"free_middle": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 100)
		violated(t, h.FreePointer(unsafe.Pointer(&a[40])), InvalidFree, "the address is 40 bytes inside a live block of 100 bytes")
		require.NoError(t, h.Free(a))
	},
	"free_middle_of_an_aligned_block": func(t *testing.T, h *Heap) {
		alloc(t, h, 156)
		a, err := h.AllocAligned(100, 64)
		require.NoError(t, err)
		start := uint64(violated(t, h.FreePointer(unsafe.Pointer(&a[8])), InvalidFree, "inside a live block").Block)
		require.NotEqual(t, uint64(uintptr(place(a))), start)
		violated(t, h.FreePointer(h.pointer(start)), InvalidFree, "the address is 0 bytes inside a live block")
		require.NoError(t, h.Free(a))
	},
	"free_stack_or_go_heap": func(t *testing.T, h *Heap) {
		var onStack int
		violated(t, h.FreePointer(unsafe.Pointer(&onStack)), InvalidFree, "does not belong to this heap")
		violated(t, h.FreePointer(unsafe.Pointer(new([64]byte))), InvalidFree, "does not belong to this heap")
		violated(t, h.FreePointer(unsafe.Pointer(&heapNumber)), InvalidFree, "its blocks lie from")
	},
	"free_other_heap": func(t *testing.T, h *Heap) {
		other := newHeap(t, Options{Name: "its owner"})
		a := alloc(t, other, 32)
		violated(t, h.Free(a), InvalidFree, `the address belongs to another heap, "its owner"`)
		require.NoError(t, other.Free(a))
	},
	"invalid_free_protected": func(t *testing.T, h *Heap) {
		p, err := unix.MmapPtr(-1, 0, nil, 4096, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
		require.NoError(t, err)
		defer unix.MunmapPtr(p, 4096)
		violated(t, h.FreePointer(p), InvalidFree, "does not belong to this heap")
	},
	"invalid_free_unprotected": func(t *testing.T, h *Heap) {
		p, err := unix.MmapPtr(-1, 0, nil, 4096, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON)
		require.NoError(t, err)
		defer unix.MunmapPtr(p, 4096)
		violated(t, h.FreePointer(unsafe.Add(p, 8)), InvalidFree, "does not belong to this heap")
	},
	"invalid_free_small_region": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 16) // its slab has four pages
		violated(t, h.FreePointer(unsafe.Pointer(past(a, 4*4096))), InvalidFree, "no block is here now: the page is free")
	},
	"invalid_free_small_region_far": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 16)
		violated(t, h.FreePointer(unsafe.Pointer(past(a, 32<<20))), InvalidFree, "a part of it that was never used")
		violated(t, h.FreePointer(unsafe.Pointer(past(a, 1<<30))), InvalidFree)
	},
	"free_never_allocated_block": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 16)
		last := (16<<10/24 - 1) * 24
		violated(t, h.FreePointer(unsafe.Pointer(past(a, last))), InvalidFree, "the block was never allocated")
		violated(t, h.FreePointer(unsafe.Pointer(past(a, last+24))), InvalidFree, "the block was never allocated") // behind the last one
	},
	"free_metadata": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 16)
		span := alloc(t, h, 256<<10)
		s, _ := h.slabAndIndex(uint64(uintptr(place(a))))
		for _, p := range []unsafe.Pointer{h.base, unsafe.Pointer(s), unsafe.Add(h.bins, -4096), h.caches, h.pageMap} {
			violated(t, h.FreePointer(p), InvalidFree, "the heap's own metadata")
		}
		violated(t, h.FreePointer(unsafe.Pointer(past(span, 65*4096))), InvalidFree, "on the guard page behind a span")
		require.NoError(t, h.Free(a))
		require.NoError(t, h.Free(span))
	},
	"sized_free_mismatch_small": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 24)
		v := violated(t, h.Free(a[:8:8]), SizeMismatch, "allocated with 24 bytes, freed as 8 (the capacity of the slice tells)")
		require.Equal(t, 24, v.Size)
		violated(t, h.Free(unsafe.Slice(&a[0], 32)), SizeMismatch, "allocated with 24 bytes, freed as 32")
		require.NoError(t, h.Free(a))
	},
	"sized_free_mismatch_large": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 9000)
		violated(t, h.Free(a[:8990:8990]), SizeMismatch, "allocated with 9000 bytes, freed as 8990")
		require.NoError(t, h.Free(a))
		b := alloc(t, h, 90000)
		violated(t, h.Free(b[:89999:89999]), SizeMismatch, "allocated with 90000 bytes, freed as 89999")
		require.NoError(t, h.Free(b))
	},
	"sized_free_mismatch_aligned": func(t *testing.T, h *Heap) {
		a, err := h.AllocAligned(100, 64)
		require.NoError(t, err)
		violated(t, h.Free(a[:99:99]), SizeMismatch, "allocated with 100 bytes, freed as 99")
		require.NoError(t, h.Free(a))
	},
	"free_resliced": func(t *testing.T, h *Heap) {
		require.NoError(t, h.Free(alloc(t, h, 24)[:0]))
		require.NoError(t, h.Free(alloc(t, h, 24)[:8]))
		a := alloc(t, h, 24)
		violated(t, h.Free(a[8:]), InvalidFree, "8 bytes inside")
		require.NoError(t, h.Free(a))
	},
	"append_escapes": func(t *testing.T, h *Heap) {
		a := alloc(t, h, 24)
		violated(t, h.Free(append(a, 1)), InvalidFree, "does not belong to this heap")
		require.EqualValues(t, 1, h.Stats().LiveBlocks)
		require.NoError(t, h.Free(a))
	},
	"sized_free_right": func(t *testing.T, h *Heap) {
		for n := 1; n < 300<<10; n += 1 + n/9 {
			require.NoError(t, h.Free(alloc(t, h, n)))
			for align := 1; align <= 64<<10; align *= 8 {
				a, err := h.AllocAligned(n, align)
				require.NoError(t, err)
				require.NoError(t, h.Free(a))
			}
		}
	},
}

func TestFree(t *testing.T) {
	for name, do := range freeCases {
		t.Run(name, func(t *testing.T) {
			oneCacheIfPinned(t)
			h := newHeap(t, Options{})
			do(t, h)
			sound(t, h)
			require.NoError(t, h.Free(alloc(t, h, 16)))
		})
	}
}

// TestFreeInAPlainHeap: what can be told without seals, by addresses and lists alone.
func TestFreeInAPlainHeap(t *testing.T) {
	oneCache(t)
	h := newHeap(t, Options{Mode: ModePlain})
	var blocks [][]byte
	for range 3 * layout.MagazineBlocks {
		blocks = append(blocks, alloc(t, h, 16))
	}
	violated(t, h.FreePointer(unsafe.Pointer(&blocks[0][5])), InvalidFree, "the address is 5 bytes inside a block of 16 bytes")
	violated(t, h.FreePointer(unsafe.Pointer(past(blocks[0], 1023*16))), InvalidFree, "the block was never allocated")
	for _, b := range blocks[:len(blocks)-1] {
		require.NoError(t, h.Free(b))
	}
	h.Scavenge()
	refused := 0
	for _, b := range blocks[:100] { // those that are on the slab's list, and not in the magazine
		if *h.link(slabOf(h, b)) != layout.LinkOut {
			violated(t, h.Free(b), DoubleFree, "the block is free already")
			refused++
		}
	}
	require.Greater(t, refused, 40)
	span := alloc(t, h, 256<<10)
	violated(t, h.Free(span[:9:9]), SizeMismatch)
	require.NoError(t, h.Free(span))
	violated(t, h.Free(span), InvalidFree, "the page is free")
	sound(t, h)
}

func slabOf(h *Heap, b []byte) (*layout.Slab, uint32) {
	return h.slabAndIndex(uint64(uintptr(place(b))))
}

// TestUninitializedFree: an address that was never one.
func TestUninitializedFree(t *testing.T) {
	h := newHeap(t, Options{})
	violated(t, h.refuse("free", 1), InvalidFree, "of 0x1 ", "does not belong to this heap")
	sound(t, h)
}
