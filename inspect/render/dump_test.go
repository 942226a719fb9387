package render_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// dumped is the text of dump on an image as it is now.
func dumped(t *testing.T, m *image, name string) func(io.Writer, render.Style) error {
	t.Helper()
	r, err := m.open(t).Dump(name)
	require.NoError(t, err)
	return func(w io.Writer, s render.Style) error { return render.Dump(w, r, s) }
}

func TestDump(t *testing.T) {
	m := sessionsImage()
	goldenInColor(t, "dump_slab", dumped(t, m, "slab 0"))
	for name, file := range map[string]string{
		"header": "header", "twin": "twin", "bin 18": "bin", "magazine 0.6": "magazine", "cache 0": "cache", "arena 1": "arena", "page 2": "page", "page 20": "page_span", "page 200": "page_free", "span 20": "span",
	} {
		golden(t, "dump_"+file, dumped(t, m, name))
	}
	golden(t, "dump_address", dumped(t, m, m.block(t, inspect.PlaceLive, 50, 9).Address.String()))
	m.set(t, "bin 6", "Lock", 0x4c4f434b00000002)
	golden(t, "dump_locked", dumped(t, m, "bin 6"))
}
