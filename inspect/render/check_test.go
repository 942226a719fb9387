package render_test

import (
	"io"
	"testing"

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
