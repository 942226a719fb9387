package render_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// whatis is the text of whatis on an address of an image as it is now, and the kind that the answer has.
func whatis(t *testing.T, m *image, address inspect.Address, kind string) func(io.Writer, render.Style) error {
	t.Helper()
	r, err := m.open(t).Whatis(uint64(address))
	require.NoError(t, err)
	require.Equal(t, kind, r.Kind, r.Sentence)
	return func(w io.Writer, s render.Style) error { return render.Whatis(w, r, s) }
}

func TestWhatisInABlock(t *testing.T) {
	m := sessionsImage()
	name := m.block(t, inspect.PlaceLive, 50, 9)
	goldenInColor(t, "whatis_block", whatis(t, m, name.Address+18, "block"))
	golden(t, "whatis_start", whatis(t, m, name.Address, "block"))
	golden(t, "whatis_second_byte", whatis(t, m, name.Address+1, "block"))
	golden(t, "whatis_slack", whatis(t, m, name.Address+52, "block"))
	golden(t, "whatis_seal", whatis(t, m, name.Address+58, "seal"))
	golden(t, "whatis_free", whatis(t, m, m.block(t, inspect.PlaceFree, -1, 3).Address+5, "block"))
	golden(t, "whatis_cached", whatis(t, m, m.block(t, inspect.PlaceCached, -1, 3).Address+5, "block"))
	golden(t, "whatis_depot", whatis(t, m, m.block(t, inspect.PlaceDepot, -1, 3).Address, "block"))
	golden(t, "whatis_virgin", whatis(t, m, m.block(t, inspect.PlaceVirgin, -1, 3).Address+4, "block"))
	golden(t, "whatis_withdrawn", whatis(t, m, m.block(t, inspect.PlaceWithdrawn, 33, 0).Address+3, "block"))
	golden(t, "whatis_plain", whatis(t, plainImage(), plainImage().block(t, inspect.PlaceLive, -1, 3).Address+5, "block"))

	aligned := m.aligned(t)
	user := aligned.Address + inspect.Address(aligned.Aligned)
	golden(t, "whatis_aligned", whatis(t, m, user+7, "block"))
	golden(t, "whatis_before_aligned", whatis(t, m, user-8, "block"))
}

func TestWhatisOfADamagedBlock(t *testing.T) {
	m := sessionsImage()
	name := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, name.Address+50, []byte("!!")...)
	goldenInColor(t, "whatis_damaged", whatis(t, m, name.Address+50, "block"))
	golden(t, "whatis_neighbour_damaged", whatis(t, m, name.Address+64, "block"))
}

func TestWhatisInASpan(t *testing.T) {
	m := sessionsImage()
	span := m.span(t, 0)
	golden(t, "whatis_span", whatis(t, m, span.Address+1234, "span"))
	golden(t, "whatis_span_seal", whatis(t, m, span.Address+inspect.Address(span.Size), "span"))
	golden(t, "whatis_guard", whatis(t, m, span.Address+inspect.Address(span.Size)+layout.SealBytes+16, "guard"))
	huge := m.span(t, 2)
	golden(t, "whatis_huge_rest", whatis(t, m, huge.Address+2*layout.ArenaBytes-1, "guard"))
}

func TestWhatisElsewhere(t *testing.T) {
	m := sessionsImage()
	id := m.open(t).Identity()
	at := func(address uint64, kind string) func(io.Writer, render.Style) error {
		return whatis(t, m, inspect.Address(address), kind)
	}
	golden(t, "whatis_header_field", at(id.Base+1, "metadata"))
	golden(t, "whatis_bin_field", at(uint64(id.Bins)+3*layout.BinBytes+4, "metadata"))
	golden(t, "whatis_magazine_field", at(uint64(id.Caches)+layout.CacheMagazines+6*layout.MagazineBytes+48, "metadata"))
	golden(t, "whatis_page_entry", at(uint64(id.PageMap)+17*8, "metadata"))
	golden(t, "whatis_slab_field", at(id.Descriptors+16, "metadata"))
	golden(t, "whatis_link", at(id.Descriptors+layout.SlabBytes+2*7, "metadata"))
	golden(t, "whatis_schema", at(id.Schema+9, "metadata"))
	golden(t, "whatis_unused_metadata", at(uint64(id.Caches)+2*layout.CacheBytes, "unused"))
	golden(t, "whatis_free_page", at(id.Data+200*layout.PageBytes+11, "free page"))
	golden(t, "whatis_unused", at(id.Data+9*layout.ArenaBytes, "unused"))
	golden(t, "whatis_outside", at(id.Base-1, "outside"))
	tail := m.slab(t, "a slab whose blocks do not fill it", func(s inspect.SlabRow) bool { return s.Bin == 18 })
	golden(t, "whatis_slab_tail", whatis(t, m, tail.Base+inspect.Address(tail.Pages*layout.PageBytes-1), "slab tail"))
}
