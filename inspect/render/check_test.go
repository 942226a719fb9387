package render_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// checked is the text of check on an image as it is now.
func checked(t *testing.T, m *image) func(io.Writer, render.Style) error {
	r := m.check(t)
	return func(w io.Writer, s render.Style) error { return render.Check(w, r, s) }
}

func TestCheckHealthy(t *testing.T) { goldenInColor(t, "check_healthy", checked(t, sessionsImage())) }

func TestCheckFresh(t *testing.T) { golden(t, "check_fresh", checked(t, freshImage())) }

func TestCheckStopped(t *testing.T) {
	r := sessionsImage().check(t)
	r.Stops, r.Stopped = 1, 312_000
	golden(t, "check_stopped", func(w io.Writer, s render.Style) error { return render.Check(w, r, s) })
}

func TestCheckOverflow(t *testing.T) {
	m := sessionsImage()
	b := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, b.Address+50, 0)
	goldenInColor(t, "check_overflow", checked(t, m))
}

func TestCheckOverflowIntoTheSeal(t *testing.T) {
	m := sessionsImage()
	b := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, b.Address+50, []byte("longer=1")...)
	golden(t, "check_overflow_seal", checked(t, m))
}

func TestCheckOverflowFarBehind(t *testing.T) {
	m := sessionsImage()
	b := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, b.Address+54, 'x')
	golden(t, "check_overflow_far", checked(t, m))
}

func TestCheckOverflowThroughTheSeal(t *testing.T) {
	m := sessionsImage()
	b := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, b.Address+50, []byte("a name that is longer")...)
	golden(t, "check_overflow_through", checked(t, m))
}

func TestCheckOverflowOfASpan(t *testing.T) {
	m := sessionsImage()
	b := m.span(t, 0)
	m.write(t, b.Address+inspect.Address(b.Requested), 'r', 't', 0)
	golden(t, "check_overflow_span", checked(t, m))
}

func TestCheckOverflowOfAnAlignedBlock(t *testing.T) {
	m := sessionsImage()
	b := m.aligned(t)
	m.write(t, b.Address+inspect.Address(b.Aligned+b.Requested), 1, 2, 3, 4)
	golden(t, "check_overflow_aligned", checked(t, m))
}

// TestCheckBehindTheLastBlock of a slab: the slab's struct is whole, its address is not the damage's.
func TestCheckBehindTheLastBlock(t *testing.T) {
	m := sessionsImage()
	s := m.slab(t, "with a tail", func(s inspect.SlabRow) bool { return s.Slab == 4 })
	tail := s.Base + inspect.Address(s.Capacity*int(s.Size+layout.SealBytes))
	m.write(t, tail+3, []byte("far")...)
	golden(t, "check_tail", checked(t, m))
	w, err := m.open(t).Whatis(uint64(tail + 3))
	require.NoError(t, err)
	require.Equal(t, "slab tail", w.Kind, "what the text says to ask about next")
}

func TestCheckUnderflow(t *testing.T) {
	m := sessionsImage()
	b := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, b.Address-2, 0xff, 0xff)
	golden(t, "check_underflow", checked(t, m))
}

func TestCheckWriteAfterFree(t *testing.T) {
	m := sessionsImage()
	b := m.block(t, inspect.PlaceFree, -1, 3)
	m.write(t, b.Address+inspect.Address(b.Size), []byte("old!")...)
	goldenInColor(t, "check_write_after_free", checked(t, m))
}

func TestCheckFreeBlockOverrun(t *testing.T) {
	m := sessionsImage()
	b := m.block(t, inspect.PlaceCached, -1, 1)
	before := b.Address - inspect.Address(b.Size+8)
	m.write(t, before+inspect.Address(b.Size)+4, make([]byte, b.Size+8)...)
	golden(t, "check_overrun", checked(t, m))
}

func TestCheckDoubleListed(t *testing.T) {
	m := sessionsImage()
	// The magazine of bin 6 names a live block as its second one.
	m.set(t, "magazine 0.6", "Blocks[1]", uint64(m.block(t, inspect.PlaceLive, 50, 9).Address))
	golden(t, "check_double_listed", checked(t, m))
}

func TestCheckTwiceInAMagazine(t *testing.T) {
	m := sessionsImage()
	m.set(t, "magazine 0.6", "Blocks[1]", m.number(t, "magazine 0.6", "Blocks[2]"))
	golden(t, "check_twice_cached", checked(t, m))
}

func TestCheckLostBlock(t *testing.T) {
	m := sessionsImage()
	// The free list of slab 4 begins behind the block that it began with.
	head := m.number(t, "slab 4", "FreeHead")
	link := m.bytes[uint64(m.slab(t, "slab 4", func(s inspect.SlabRow) bool { return s.Slab == 4 }).Struct)-heapBase+layout.SlabBytes+2*head:]
	next, _ := layout.Link(binary.LittleEndian.Uint16(link)).Next()
	m.set(t, "slab 4", "FreeHead", uint64(next))
	m.set(t, "slab 4", "FreeCount", m.number(t, "slab 4", "FreeCount")-1)
	m.set(t, "bin 18", "FreeBlocks", m.number(t, "bin 18", "FreeBlocks")-1)
	golden(t, "check_lost_block", checked(t, m))
}

func TestCheckMetadata(t *testing.T) {
	m := sessionsImage()
	m.set(t, "slab 4", "FreeCount", 59)
	m.set(t, "bin 0", "Stride", 17)
	goldenInColor(t, "check_metadata", checked(t, m))
}

func TestCheckPageEntry(t *testing.T) {
	m := sessionsImage()
	id := m.open(t).Identity()
	m.write(t, inspect.Address(uint64(id.PageMap)+2*layout.PageEntryBytes), 4)
	golden(t, "check_page_entry", checked(t, m))
}

func TestCheckListDamage(t *testing.T) {
	m := sessionsImage()
	m.set(t, "bin 18", "Partial", m.number(t, "bin 0", "Partial"))
	golden(t, "check_list", checked(t, m))
}

func TestCheckHeader(t *testing.T) {
	m := sessionsImage()
	m.set(t, "identity", "ArenaBytes", 1<<19)
	golden(t, "check_header", checked(t, m))
	m.set(t, "twin", "Secret", 1)
	golden(t, "check_header_twice", checked(t, m))
}

func TestCheckUnsettled(t *testing.T) {
	m := sessionsImage()
	m.set(t, "bin 6", "Lock", uint64(layout.HeldBy(0)))
	m.set(t, "bin 6", "FreeBlocks", 3)
	golden(t, "check_unsettled", checked(t, m))
	m.set(t, "bin 0", "CarvedBlocks", 1)
	golden(t, "check_unsettled_and_damage", checked(t, m))
}

func TestCheckManyFindings(t *testing.T) {
	m := sessionsImage()
	for range 12 {
		m.flip(t, m.block(t, inspect.PlaceLive, 50, 0).Address+56, 1) // the first that is whole
	}
	golden(t, "check_many", checked(t, m))
}

// TestCheckFieldsThatWereNeverRight: those that hold 0, and those that are wrong in many structs, which are one finding.
func TestCheckFieldsThatWereNeverRight(t *testing.T) {
	m := sessionsImage()
	for i := 1; i < 80; i++ {
		m.set(t, fmt.Sprintf("bin %d", i), "ID", 0)
	}
	m.set(t, "slab 4", "Bin", 0)
	golden(t, "check_never_right", checked(t, m))
	require.Len(t, m.check(t).Findings, 80, "the data name each of them")
}

// TestCheckLeadsOn: each struct that an answer names is one that can be dumped.
func TestCheckLeadsOn(t *testing.T) {
	for _, damage := range [][3]any{
		{"identity", "ArenaBytes", uint64(1 << 19)}, {"twin", "Secret", uint64(1)}, {"header", "ArenasUsed", uint64(1)}, {"slab 4", "FreeCount", uint64(59)}, {"span 23", "Pages", uint64(1)},
		{"magazine 0.6", "Tally", uint64(1)}, {"cache 0", "ID", uint64(9)}, {"arena 1", "ID", uint64(9)},
	} {
		t.Run(damage[0].(string), func(t *testing.T) {
			m := sessionsImage()
			m.set(t, damage[0].(string), damage[1].(string), damage[2].(uint64))
			text := textOf(t, checked(t, m), false)
			next := regexp.MustCompile(`(?m)^next  glassheap dump 4711 (.*?)(   .*)?$`).FindStringSubmatch(text)
			require.NotNil(t, next, text)
			_, err := m.open(t).Dump(next[1])
			require.NoError(t, err)
		})
	}
}
