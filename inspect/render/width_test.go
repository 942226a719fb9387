package render_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// TestWidths: text fits the terminal that it is written to, takes 80 columns where there is none, and never more than 120.
func TestWidths(t *testing.T) {
	m := sessionsImage()
	m.flip(t, m.block(t, inspect.PlaceLive, 50, 9).Address+56, 1)
	m.set(t, "bin 0", "Stride", 17)
	r := m.check(t)
	bins, err := m.open(t).Bins(context.Background())
	require.NoError(t, err)
	figures, err := notesImage().open(t).Math(context.Background()) // has notes that are longer than any line
	require.NoError(t, err)
	widest := func(columns int) (widest int, text string) {
		var b bytes.Buffer
		s := render.Style{Target: "4711", Width: columns}
		require.NoError(t, errors.Join(render.Check(&b, r, s), render.Bins(&b, bins, s, false), render.Math(&b, figures, s)))
		for _, line := range strings.Split(b.String(), "\n") {
			widest = max(widest, utf8.RuneCountInString(line))
		}
		return widest, b.String()
	}
	unknown, unknownText := widest(0)
	usual, usualText := widest(80)
	require.Equal(t, usualText, unknownText)
	require.LessOrEqual(t, max(unknown, usual), 80)
	wide, wideText := widest(120)
	require.Contains(t, wideText, "▕", "there is room for bars")
	require.LessOrEqual(t, wide, 120)
	_, huge := widest(1000)
	require.Equal(t, wideText, huge)
	_, _ = widest(1) // words are longer than that
}

// broken is a writer that fails.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

// TestWritersFail: what the writer says comes back.
func TestWritersFail(t *testing.T) {
	full := errors.New("no space left")
	r := sessionsImage().check(t)
	require.ErrorIs(t, render.Check(broken{full}, r, render.Style{}), full)
	require.ErrorIs(t, render.JSON(broken{full}, r), full)
	require.ErrorIs(t, render.Prompt(broken{full}, render.Style{}, "x"), full)
}
