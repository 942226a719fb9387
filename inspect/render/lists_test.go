package render_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

func TestBins(t *testing.T) {
	bins := func(m *image, all bool) func(io.Writer, render.Style) error {
		r, err := m.open(t).Bins(context.Background())
		require.NoError(t, err)
		return func(w io.Writer, s render.Style) error { return render.Bins(w, r, s, all) }
	}
	goldenInColor(t, "bins", bins(sessionsImage(), false))
	golden(t, "bins_all", bins(notesImage(), true))
	golden(t, "bins_fresh", bins(freshImage(), false))
}

func TestSlabs(t *testing.T) {
	slabs := func(m *image, bin int) func(io.Writer, render.Style) error {
		r, err := m.open(t).Slabs(bin)
		require.NoError(t, err)
		return func(w io.Writer, s render.Style) error { return render.Slabs(w, r, s) }
	}
	goldenWithin(t, "slabs", 90, slabs(sessionsImage(), -1))
	golden(t, "slabs_bin", slabs(plainImage(), 6))
	golden(t, "slabs_none", slabs(sessionsImage(), 79))
}

func TestBlocks(t *testing.T) {
	blocks := func(m *image, slab inspect.Address, all bool) func(io.Writer, render.Style) error {
		r, err := m.open(t).Blocks(uint64(slab))
		require.NoError(t, err)
		return func(w io.Writer, s render.Style) error { return render.Blocks(w, r, s, all) }
	}
	m := sessionsImage()
	name := m.block(t, inspect.PlaceLive, 50, 9)
	golden(t, "blocks", blocks(m, name.Address, false))
	golden(t, "blocks_all", blocks(m, m.block(t, inspect.PlaceLive, 170, 0).Address, true))
	golden(t, "blocks_plain", blocks(plainImage(), plainImage().block(t, inspect.PlaceLive, -1, 0).Address, false))
	golden(t, "blocks_span", blocks(m, m.span(t, 0).Address, false))

	m.write(t, name.Address+50, 0)
	m.flip(t, name.Address+64+56, 2)
	goldenInColor(t, "blocks_damaged", blocks(m, name.Address, false))
}
