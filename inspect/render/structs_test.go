package render_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// structs is the text of structs on an image as it is now.
func structs(t *testing.T, m *image, o inspect.StructsOptions, fields bool) func(io.Writer, render.Style) error {
	t.Helper()
	r, err := m.open(t).Structs(context.Background(), o)
	require.NoError(t, err)
	return func(w io.Writer, s render.Style) error { return render.Structs(w, r, s, fields) }
}

func TestStructsHealthy(t *testing.T) {
	goldenInColor(t, "structs", structs(t, sessionsImage(), inspect.StructsOptions{Most: 3}, false))
	golden(t, "structs_all", structs(t, notesImage(), inspect.StructsOptions{}, false))
	golden(t, "structs_wrong_none", structs(t, sessionsImage(), inspect.StructsOptions{Wrong: true}, false))
}

func TestStructsFields(t *testing.T) {
	golden(t, "structs_fields_slab", structs(t, sessionsImage(), inspect.StructsOptions{Type: "Slab", Most: 2}, true))
	golden(t, "structs_fields_bin", structs(t, sessionsImage(), inspect.StructsOptions{Type: "bin", Most: 1}, true))
	golden(t, "structs_fields_identity", structs(t, sessionsImage(), inspect.StructsOptions{Type: "Identity"}, true))
	golden(t, "structs_fields_magazine", structs(t, sessionsImage(), inspect.StructsOptions{Type: "Magazine", Most: 1}, true))
	golden(t, "structs_fields_arena", structs(t, sessionsImage(), inspect.StructsOptions{Type: "Arena", Most: 2}, true))
}

func TestStructsWrong(t *testing.T) {
	m := sessionsImage()
	m.set(t, "slab 4", "FreeCount", 59)
	m.set(t, "bin 0", "Stride", 17)
	m.set(t, "span 20", "Requested", 1<<40)
	m.set(t, "arena 2", "State", 9)
	goldenInColor(t, "structs_wrong", structs(t, m, inspect.StructsOptions{Wrong: true}, false))
	golden(t, "structs_wrong_more", structs(t, m, inspect.StructsOptions{Wrong: true, MostWrong: 1}, false))
	golden(t, "structs_wrong_fields", structs(t, m, inspect.StructsOptions{Wrong: true, Type: "Slab"}, true))
}

func TestStructsProblems(t *testing.T) {
	m := sessionsImage()
	id := m.open(t).Identity()
	m.write(t, inspect.Address(uint64(id.PageMap)+2*layout.PageEntryBytes), 4)
	m.set(t, "bin 18", "Partial", m.number(t, "bin 0", "Partial"))
	golden(t, "structs_problems", structs(t, m, inspect.StructsOptions{Wrong: true}, false))
}

func TestStructsUnderWay(t *testing.T) {
	m := sessionsImage()
	m.set(t, "bin 6", "Lock", uint64(layout.HeldBy(0)))
	m.set(t, "bin 6", "FreeBlocks", 3)
	goldenInColor(t, "structs_under_way", structs(t, m, inspect.StructsOptions{Wrong: true}, false))
	m.set(t, "bin 6", "Magazine", 61)
	golden(t, "structs_under_way_and_wrong", structs(t, m, inspect.StructsOptions{Wrong: true}, false))
}

func TestStructsOfADamagedHeader(t *testing.T) {
	m := sessionsImage()
	m.set(t, "identity", "ArenaBytes", 1<<19)
	m.set(t, "twin", "Secret", 1)
	golden(t, "structs_header", structs(t, m, inspect.StructsOptions{Wrong: true}, false))
}
