package inspect_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

var flips = flag.Int("flips", 3000, "how many bits TestEveryFlippedBitIsFound flips")

// flipImage is a heap's memory whose bits are flipped, with what each of its bytes is.
type flipImage struct {
	bytes  []byte
	header layout.Header
	heap   *inspect.Heap
	spots  []uint64 // offsets of every byte whose flip has to be found
}

// TestEveryFlippedBitIsFound flips single bits anywhere in the metadata and in the seals of a heap that was used in every
// way. Each must be found, unless nothing depends on the byte, for a reason that harmless gives.
func TestEveryFlippedBitIsFound(t *testing.T) {
	heaps := map[string]allocator.Options{
		"default": {},
		"notes":   {Geometry: allocator.GeometryNotes},
		"audit":   {Mode: allocator.ModeAudit, QuarantineBytes: 64 << 10},
		"guarded": {GuardRate: 8},
	}
	for name, o := range heaps {
		t.Run(name, func(t *testing.T) {
			o.Name, o.ReserveBytes = "flips", 16<<20
			h := newHeap(t, o)
			live := busy(t, h, 3, 4000)
			for _, b := range live[len(live)/3:] {
				require.NoError(t, h.Free(b))
			}
			h.Scavenge()
			busy(t, h, 4, 700)
			img := newFlipImage(t, image(t, h))
			r := rand.New(rand.NewSource(5))
			silent := map[string]int{}
			harmless := 0
			for range *flips / len(heaps) {
				offset := img.spots[r.Intn(len(img.spots))]
				bit := byte(1) << r.Intn(8)
				img.bytes[offset] ^= bit
				report, err := inspect.Check(context.Background(), target.FromBytes(img.bytes), inspect.CheckOptions{})
				found := err != nil || !report.Healthy()
				img.bytes[offset] ^= bit
				if found {
					continue
				}
				if img.harmless(offset) {
					harmless++
					continue
				}
				w, err := img.heap.Whatis(img.header.Identity.Base + offset)
				require.NoError(t, err)
				silent[w.Struct+"."+w.Field+" "+w.Kind]++
			}
			t.Logf("%d flips, %d of them harmless, image of %d KiB, %d spots", *flips/len(heaps), harmless, len(img.bytes)>>10, len(img.spots))
			for what, n := range silent {
				t.Errorf("%d flips went unnoticed: %s", n, what)
			}
		})
	}
}

func newFlipImage(t *testing.T, bytes []byte) *flipImage {
	img := &flipImage{bytes: bytes}
	copy(layout.Bytes(&img.header), bytes)
	heap, err := inspect.Open(context.Background(), target.FromBytes(bytes))
	require.NoError(t, err)
	img.heap = heap
	id := &img.header.Identity
	add := func(start, size uint64) {
		for i := range size {
			img.spots = append(img.spots, start-id.Base+i)
		}
	}
	add(id.Base, uint64(unsafe.Sizeof(layout.Header{})))
	add(id.Schema, uint64(id.SchemaBytes))
	add(uint64(id.Bins), uint64(id.BinCount)*layout.BinBytes)
	for i := range img.header.CachesReady {
		add(uint64(id.Caches)+i*layout.CacheBytes, layout.CacheMagazines+uint64(id.BinCount)*layout.MagazineBytes)
	}
	add(uint64(id.Arenas), img.header.ArenasUsed*layout.ArenaDescriptorBytes)
	add(uint64(id.PageMap), img.header.ArenasUsed*layout.PagesPerArena*layout.PageEntryBytes)
	add(id.Descriptors, img.header.DescriptorsTop-id.Descriptors)
	add(id.Records, img.header.RecordsTop-id.Records)
	for i := range img.header.JournalsReady {
		start := uint64(id.Journals) + i*layout.JournalBytes
		var j layout.Journal
		copy(layout.Bytes(&j), bytes[start-id.Base:])
		add(start, uint64(unsafe.Offsetof(j.Quarantine)))
		for k := j.QuarantineOut; k < j.QuarantineIn; k++ {
			add(start+uint64(unsafe.Offsetof(j.Quarantine))+k%layout.QuarantineBlocks*8, 8)
		}
	}
	var pool layout.GuardPool
	if copy(layout.Bytes(&pool), bytes[uint64(id.Guards)-id.Base:]); pool.Ready != 0 {
		add(uint64(id.Guards), uint64(unsafe.Sizeof(pool)))
	}
	if img.header.JournalsReady > 0 {
		var stacks layout.StackTable
		copy(layout.Bytes(&stacks), bytes[uint64(id.Stacks)-id.Base:])
		add(uint64(id.Stacks), layout.StackTableBytes+stacks.Used)
	}
	// The seals, as many times as makes them a third of all.
	slabs, err := heap.Slabs(-1)
	require.NoError(t, err)
	var seals []uint64
	for _, s := range slabs.Slabs {
		blocks, err := heap.Blocks(uint64(s.Base))
		require.NoError(t, err)
		for _, b := range blocks.Blocks {
			if b.Place != inspect.PlaceVirgin {
				for i := range layout.SealBytes {
					seals = append(seals, uint64(b.Address)+uint64(b.Size+i)-id.Base)
				}
			}
		}
	}
	for n := len(img.spots) / 2; n > 0; n -= len(seals) {
		img.spots = append(img.spots, seals[:min(n, len(seals))]...)
	}
	return img
}

// harmless reports whether nothing depends on a byte: the field is a statistic, or it is stale.
func (img *flipImage) harmless(offset uint64) bool {
	w, err := img.heap.Whatis(img.header.Identity.Base + offset)
	if err != nil {
		return false
	}
	switch {
	case isStatistic(w.Field):
		return true // nothing depends on it, and the schema says so
	case strings.HasPrefix(w.Struct, "records of a retired slab"):
		return uint64(w.Offset) >= layout.RecordsBytes // cleared before they are used again
	case strings.HasPrefix(w.Struct, "Record of block"):
		return img.unrecorded(w.Struct, w.Field)
	case strings.HasPrefix(w.Struct, "Records of slab") && w.Field == "":
		return true // what is left behind the records of a slab
	case strings.Contains(w.Struct, "agazine") && strings.HasPrefix(w.Field, "Blocks["):
		// Entries at and above the count are stale.
		start := offset - uint64(w.Offset)
		var m layout.Magazine
		copy(layout.Bytes(&m), img.bytes[start:])
		return (uint64(w.Offset)-uint64(unsafe.Offsetof(m.Blocks)))/8 >= uint64(m.Tally.Count())
	case strings.HasPrefix(w.Struct, "retired slab") && strings.HasPrefix(w.Field, "Links["):
		return true // cleared before the descriptor is used again
	}
	return false
}

// isStatistic reports whether the schema marks the field at the end of a path so.
func isStatistic(path string) bool {
	field, _, _ := strings.Cut(path[strings.LastIndexByte(path, '.')+1:], "[")
	for _, s := range layout.CurrentSchema().Structs {
		for _, f := range s.Fields {
			if f.Name == field && f.Role == "statistic" {
				return true
			}
		}
	}
	return false
}

// unrecorded reports whether the seal of a record's block says that this stack of it means nothing.
func (img *flipImage) unrecorded(record, field string) bool {
	var block, slab int
	if _, err := fmt.Sscanf(record, "Record of block %d of slab %d", &block, &slab); err != nil {
		return false
	}
	base := img.header.Identity.Data + uint64(slab)*layout.PageBytes
	blocks, err := img.heap.Blocks(base)
	if err != nil || block >= len(blocks.Blocks) {
		return true // the records of blocks that do not exist fill up the last one's line
	}
	b := blocks.Blocks[block]
	if field == "FreeStack" {
		return b.Freed == nil
	}
	return b.Allocated == nil
}
