package render_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/render"
)

// math is the text of math on an image as it is now.
func math(t *testing.T, m *image) func(io.Writer, render.Style) error {
	t.Helper()
	r, err := m.open(t).Math(context.Background())
	require.NoError(t, err)
	return func(w io.Writer, s render.Style) error { return render.Math(w, r, s) }
}

func TestMath(t *testing.T) {
	goldenInColor(t, "math_notes", math(t, notesImage()))
	golden(t, "math_notes_sealed", math(t, sealedNotesImage()))
	golden(t, "math_default", math(t, defaultImage()))
	golden(t, "math_default_plain", math(t, plainImage()))
}

func TestMathWrong(t *testing.T) {
	m := notesImage()
	m.set(t, "bin 3", "Capacity", 65)
	m.set(t, "slab 3", "Stride", 48)
	goldenInColor(t, "math_wrong", math(t, m))
}
