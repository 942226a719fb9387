package render_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// drawn is the text of map on an image as it is now.
func drawn(t *testing.T, m *image, o inspect.MapOptions) func(io.Writer, render.Style) error {
	t.Helper()
	r, err := m.open(t).Map(context.Background(), o)
	require.NoError(t, err)
	return func(w io.Writer, s render.Style) error { return render.Map(w, r, s) }
}

func TestMap(t *testing.T) {
	m := sessionsImage()
	goldenInColor(t, "map", drawn(t, m, inspect.MapOptions{Bin: -1}))
	golden(t, "map_left_out", drawn(t, m, inspect.MapOptions{Bin: -1, Most: 1}))
	golden(t, "map_fresh", drawn(t, freshImage(), inspect.MapOptions{Bin: -1}))
	golden(t, "map_notes", drawn(t, notesImage(), inspect.MapOptions{Bin: -1}))
}

func TestMapOfABin(t *testing.T) {
	m := sessionsImage()
	goldenInColor(t, "map_bin", drawn(t, m, inspect.MapOptions{Bin: 18}))
	golden(t, "map_bin_left_out", drawn(t, m, inspect.MapOptions{Bin: 18, Most: 1}))
	golden(t, "map_bin_empty", drawn(t, m, inspect.MapOptions{Bin: 70}))
}

func TestMapOfASlab(t *testing.T) {
	m := sessionsImage()
	name := m.block(t, inspect.PlaceLive, 50, 9)
	m.write(t, name.Address+50, 0)
	goldenInColor(t, "map_address", drawn(t, m, inspect.MapOptions{Bin: -1, Address: uint64(name.Address)}))
	withdrawn := m.block(t, inspect.PlaceWithdrawn, 33, 0)
	golden(t, "map_withdrawn", drawn(t, m, inspect.MapOptions{Bin: -1, Address: uint64(withdrawn.Address)}))
}
