package inspect_test

import (
	"context"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestHalfDone has heaps as they lie there when their program was killed within an operation. Under the lock that is held it
// is no damage; without that lock, or under another, it is.
func TestHalfDone(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "half done", Mode: allocator.ModeSealed})
	var blocks [][]byte
	for range 300 {
		b, err := h.Alloc(24)
		require.NoError(t, err)
		blocks = append(blocks, b)
	}
	for _, b := range blocks[20:] {
		require.NoError(t, h.Free(b))
	}
	whole := image(t, h)
	var head layout.Header
	copy(layout.Bytes(&head), whole)
	id := &head.Identity
	look := func(bytes []byte, base layout.Ref[layout.Bin], n int) layout.Bin {
		var b layout.Bin
		copy(layout.Bytes(&b), bytes[uint64(base)-id.Base+uint64(n)*layout.BinBytes:])
		return b
	}
	bin := 0
	for look(whole, id.Bins, bin).Depot == 0 {
		bin++
	}
	put := func(bytes []byte, address uint64, value any) {
		switch v := value.(type) {
		case uint32:
			copy(bytes[address-id.Base:], layout.Bytes(&v))
		case uint64:
			copy(bytes[address-id.Base:], layout.Bytes(&v))
		}
	}
	binAt := uint64(id.Bins) + uint64(bin)*layout.BinBytes
	b := look(whole, id.Bins, bin)
	var depot layout.Magazine
	copy(layout.Bytes(&depot), whole[uint64(b.Depot)-id.Base:])
	// The magazine of the cache that was used: the test ran on one P or several.
	cache, magazine := uint64(0), uint64(0)
	var m layout.Magazine
	for ; m.Limit == 0; cache++ {
		require.Less(t, cache, head.CachesReady)
		magazine = uint64(id.Caches) + cache*layout.CacheBytes + layout.CacheMagazines + uint64(bin)*layout.MagazineBytes
		copy(layout.Bytes(&m), whole[magazine-id.Base:])
	}
	cache--
	lockBin := func(holder uint64) func([]byte) {
		return func(bytes []byte) {
			put(bytes, binAt+uint64(unsafe.Offsetof(b.Lock)), uint64(layout.HeldBy(int(holder))))
		}
	}
	lockPages := func(bytes []byte) {
		put(bytes, id.Base+uint64(unsafe.Offsetof(head.PagesLock)), uint64(layout.HeldBy(0)))
	}
	for _, c := range []struct {
		name  string
		write func([]byte)
		locks []func([]byte)
		other []func([]byte) // locks that do not explain it
	}{
		{"a magazine is filled", func(bytes []byte) { put(bytes, magazine+uint64(unsafe.Offsetof(m.Inflow)), uint64(m.Inflow+30)) },
			[]func([]byte){lockBin(cache)}, []func([]byte){lockBin(cache + 1), lockPages}},
		{"a magazine is between two lists", func(bytes []byte) { put(bytes, binAt+uint64(unsafe.Offsetof(b.Depot)), uint64(depot.Next)) },
			[]func([]byte){lockBin(cache + 1)}, nil},
		{"an arena is mapped", func(bytes []byte) {
			put(bytes, uint64(id.Arenas)+uint64(unsafe.Offsetof(layout.Arena{}.Base)), uint64(0))
		},
			[]func([]byte){lockPages}, []func([]byte){lockBin(cache)}},
		{"the pages' lock explains no wrong base", func(bytes []byte) {
			put(bytes, uint64(id.Arenas)+uint64(unsafe.Offsetof(layout.Arena{}.Base)), uint64(4096))
		},
			nil, []func([]byte){lockPages}},
		{"no lock explains a broken seal", func(bytes []byte) { put(bytes, uint64(uintptr(unsafe.Pointer(&blocks[0][0])))+24, uint32(0)) },
			nil, []func([]byte){lockPages, lockBin(cache)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			check := func(locks ...func([]byte)) *inspect.CheckReport {
				bytes := append([]byte(nil), whole...)
				c.write(bytes)
				for _, lock := range locks {
					lock(bytes)
				}
				r, err := inspect.Check(context.Background(), target.FromBytes(bytes), inspect.CheckOptions{})
				require.NoError(t, err)
				return r
			}
			require.NotEmpty(t, check().Findings)
			if c.locks != nil {
				require.Empty(t, check(c.locks...).Findings)
			}
			for _, lock := range c.other {
				require.NotEmpty(t, check(lock).Findings)
			}
		})
	}
}
