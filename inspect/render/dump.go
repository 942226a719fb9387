package render

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/inspect"
)

// Dump writes the fields of a struct.
func Dump(w io.Writer, r *inspect.DumpReport, s Style) error {
	p := newPage(w, s)
	p.printf("%s   %s at %s, %d bytes\n\n", p.paint(strong, r.Name), r.Type, r.Address, r.Bytes)
	var rows []table.Row
	for _, v := range r.Values {
		points := ""
		if v.Points != "" {
			points = "→ " + v.Points
		}
		rows = append(rows, table.Row{p.paint(dim, fmt.Sprintf("+%d", v.Offset)), v.Field, v.Value, points})
	}
	p.table(table.Row{"", "field", "value", ""}, rows, 0)
	return p.err
}
