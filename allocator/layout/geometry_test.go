package layout

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefaultGeometryWastesLittle(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeSealed} {
		classes := Classes(GeometryDefault, mode.SealBytes())
		require.LessOrEqual(t, len(classes), MaxBins)
		require.EqualValues(t, MaxClassBytes, classes[len(classes)-1].Size)
		smaller := uint32(0)
		for _, c := range classes {
			require.Greater(t, c.Size, smaller)
			require.Zero(t, c.Size%ClassGrain)
			// The smallest request of the class: at most 7 bytes, or an eighth of the block.
			waste := c.Size - smaller - 1
			require.True(t, waste <= 7 || 8*waste <= c.Size, "a request of %d bytes wastes %d of %d", smaller+1, waste, c.Size)
			require.Equal(t, c.Size+mode.SealBytes(), c.Stride)
			slab := c.SlabPages * PageBytes
			require.Equal(t, slab/c.Stride, c.Capacity)
			require.LessOrEqual(t, 8*(slab-c.Capacity*c.Stride), slab, "size %d", c.Size)
			require.LessOrEqual(t, int(c.SlabPages), PagesPerArena)
			require.Less(t, c.Capacity, uint32(LinkWithdrawn), "indexes fit into a Link")
			require.Zero(t, c.Magazine%2)
			require.LessOrEqual(t, int(c.Magazine), MagazineBlocks)
			smaller = c.Size
		}
	}
}

func TestAlignedGeometryIsTheDefaultsAtMultiplesOf16(t *testing.T) {
	for _, mode := range []Mode{ModePlain, ModeSealed} {
		classes := Classes(GeometryAligned, mode.SealBytes())
		require.LessOrEqual(t, len(classes), MaxBins)
		largest := classes[len(classes)-1]
		require.EqualValues(t, MaxClassBytes, largest.Stride)
		i, smaller := 0, uint32(0)
		for _, c := range classes {
			require.Zero(t, c.Stride%16, "size %d", c.Size)
			require.Equal(t, c.Size+mode.SealBytes(), c.Stride)
			require.Greater(t, c.Size, smaller)
			smaller = c.Size
		}
		for _, d := range Classes(GeometryDefault, mode.SealBytes()) {
			for i < len(classes)-1 && classes[i].Size < d.Size {
				i++
			}
			if classes[i] != largest {
				require.Less(t, classes[i].Size-d.Size, uint32(16), "a request of %d bytes", d.Size)
			}
		}
	}
	require.EqualValues(t, 16, GeometryAligned.Grain())
	require.EqualValues(t, 8, GeometryDefault.Grain())
}

func TestNotesGeometryIsTheNotesTable(t *testing.T) {
	blocks := []uint32{0x4000, 0x2000, 0x1000, 0x800, 0x400, 0x200, 0x100, 0x80}
	classes := Classes(GeometryNotes, 0)
	require.Len(t, classes, len(blocks))
	for i, c := range classes {
		require.EqualValues(t, 8<<i, c.Size)
		require.EqualValues(t, 1, c.SlabPages)
		require.EqualValues(t, 32, c.Share)
		require.Equal(t, blocks[i], c.Share*c.Capacity)
	}
}

func TestPlacesDoNotOverlap(t *testing.T) {
	for _, arenas := range []uint32{1, 2, 16, 1000, 65536, 8 << 20} {
		p := Place(arenas)
		at := uint64(HeaderBytes)
		for _, part := range [][2]uint64{
			{p.Bins, MaxBins * BinBytes}, {p.Caches, MaxCaches * CacheBytes}, {p.Arenas, uint64(arenas) * ArenaDescriptorBytes},
			{p.PageMap, uint64(arenas) * PagesPerArena * PageEntryBytes}, {p.Descriptors, p.DescriptorsEnd - p.Descriptors},
		} {
			require.GreaterOrEqual(t, part[0], at)
			require.Zero(t, part[0]%PageBytes)
			at = part[0] + part[1] + 1 // at least a byte of the guard page lies between
		}
		require.GreaterOrEqual(t, p.Data, at)
		require.Zero(t, p.Data%ArenaBytes)
		require.Equal(t, p.Data+uint64(arenas)*ArenaBytes, p.End)
	}
}

func TestLinks(t *testing.T) {
	for _, index := range []uint32{0, 1, 511, 0xfff0} {
		next, ok := LinkTo(index).Next()
		require.True(t, ok)
		require.Equal(t, index, next)
	}
	for _, l := range []Link{LinkVirgin, LinkOut, LinkEnd, LinkWithdrawn} {
		_, ok := l.Next()
		require.False(t, ok, "%x", l)
	}
	e := MakePageEntry(PageSlab, 93, 17, 64*12345)
	require.Equal(t, PageSlab, e.Kind())
	require.EqualValues(t, 93, e.Bin())
	require.Equal(t, 17, e.Before())
	require.EqualValues(t, 64*12345, e.Descriptor())
}

// TestMostMetadata: when each class has had all of the data in its turn.
func TestMostMetadata(t *testing.T) {
	for g := range geometries {
		for _, mode := range []Mode{ModePlain, ModeSealed, ModeAudit} {
			descriptors, records := uint64(0), uint64(0)
			for _, c := range Classes(g, mode.SealBytes()) {
				slabs := uint64(PagesPerArena / c.SlabPages)
				descriptors += slabs * SlabDescriptorBytes(c.Capacity)
				if mode == ModeAudit {
					records += slabs * RecordArrayBytes(c.Capacity)
				}
			}
			spans := uint64(PagesPerArena) // no two of them in a page
			require.LessOrEqual(t, descriptors+spans*SpanBytes, MostDescriptorBytes(2)-MostDescriptorBytes(1), "%v, %v", g, mode)
			require.LessOrEqual(t, records+spans*RecordArrayBytes(1), MostRecordBytes(1), "%v, %v", g, mode)
		}
	}
}
