package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/inspect"
)

// Dump writes the fields of a struct.
func Dump(w io.Writer, r *inspect.DumpReport, s Style) error {
	p := newPage(w, s)
	p.Printf("%s   %s at %s, %d bytes\n\n", p.Paint(strong, r.Name), r.Type, r.Address, r.Bytes)
	var rows []table.Row
	for i := 0; i < len(r.Values); i++ {
		v := r.Values[i]
		field, points := v.Field, ""
		if v.Points != "" {
			points = "→ " + v.Points
		}
		// Elements that hold nothing, one after the other, are one line.
		if last := i + emptyElements(r.Values[i:]) - 1; last > i {
			field = strings.TrimSuffix(field, "]") + ".." + r.Values[last].Field[strings.LastIndex(r.Values[last].Field, "[")+1:]
			i = last
		}
		rows = append(rows, table.Row{p.Paint(dim, fmt.Sprintf("+%d", v.Offset)), field, v.Value, points})
	}
	p.table(table.Row{"", "field", "value", ""}, rows, 0)
	return p.Err
}

// emptyElements is how many values at the start are elements of one array and hold nothing.
func emptyElements(values []inspect.Value) (n int) {
	array, _, isElement := strings.Cut(values[0].Field, "[")
	for isElement && n < len(values) && strings.HasPrefix(values[n].Field, array+"[") && values[n].Value == "0x0" {
		n++
	}
	return n
}
