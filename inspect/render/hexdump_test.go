package render_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// hexdump is the text of hexdump on an image as it is now.
func hexdump(t *testing.T, m *image, address inspect.Address, bytes int) func(io.Writer, render.Style) error {
	t.Helper()
	r, err := m.open(t).Hexdump(uint64(address), bytes)
	require.NoError(t, err)
	return func(w io.Writer, s render.Style) error { return render.Hexdump(w, r, s) }
}

func TestHexdump(t *testing.T) {
	m := sessionsImage()
	name := m.block(t, inspect.PlaceLive, 50, 9)
	span := m.span(t, 0)
	end := span.Address + inspect.Address(span.Requested)
	goldenInColor(t, "hexdump", hexdump(t, m, name.Address+18, 0))
	golden(t, "hexdump_several", hexdump(t, m, name.Address-8, 160))
	golden(t, "hexdump_free", hexdump(t, m, m.block(t, inspect.PlaceFree, -1, 3).Address, 0))
	golden(t, "hexdump_virgin", hexdump(t, m, m.block(t, inspect.PlaceVirgin, -1, 3).Address, 0))
	golden(t, "hexdump_aligned", hexdump(t, m, m.aligned(t).Address, 0))
	golden(t, "hexdump_span_end", hexdump(t, m, end-20, 64))
	golden(t, "hexdump_metadata", hexdump(t, m, inspect.Address(heapBase), 64))
	golden(t, "hexdump_plain", hexdump(t, plainImage(), plainImage().block(t, inspect.PlaceLive, -1, 3).Address, 0))
	golden(t, "hexdump_odd", hexdump(t, m, name.Address+3, 7))
}

func TestHexdumpOfDamage(t *testing.T) {
	m := sessionsImage()
	name := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, name.Address+50, []byte("longer=1")...)
	goldenInColor(t, "hexdump_damaged", hexdump(t, m, name.Address, 0))
	span := m.span(t, 0)
	m.write(t, span.Address+inspect.Address(span.Requested), 'r', 't', 0)
	golden(t, "hexdump_span_damaged", hexdump(t, m, span.Address+inspect.Address(span.Requested)-4, 64))
	free := m.block(t, inspect.PlaceFree, -1, 3)
	m.write(t, free.Address+inspect.Address(free.Size), []byte("old!")...)
	golden(t, "hexdump_free_damaged", hexdump(t, m, free.Address+160, 24))
}
