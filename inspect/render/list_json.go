package render

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/glassheap/glassheap/inspect"
)

// ListJSON writes a list as JSON: an object for each row, on a line of its own, with the columns' names as keys, and behind
// the rows what is known then. A value that is not known is null. The list may be of any length.
func ListJSON(w io.Writer, r *inspect.Listing) error {
	b := bufio.NewWriter(w)
	put := func(format string, values ...any) { fmt.Fprintf(b, format, values...) } // b keeps the first error
	put("{\n")
	if r.Heap.Version != 0 {
		heap, err := json.MarshalIndent(r.Heap, "  ", "  ")
		if err != nil {
			return err
		}
		put("  \"heap\": %s,\n", heap)
	}
	heads := r.Table.Heads()
	keys := make([][]byte, len(heads))
	for i, h := range heads {
		keys[i] = append(strconv.AppendQuote(nil, h.Name), ": "...)
	}
	put("  %q: [", r.Table.Named())
	separator := "\n    {"
	var line []byte
	for cells, err := range r.Table.Cells() {
		if err != nil {
			_ = b.Flush()
			return err
		}
		line = append(line[:0], separator...)
		for i, c := range cells {
			if i > 0 {
				line = append(line, ", "...)
			}
			line = append(line, keys[i]...)
			if line, err = appendCell(line, c); err != nil {
				return err
			}
		}
		if _, err := b.Write(append(line, '}')); err != nil {
			return err
		}
		separator = ",\n    {"
	}
	t := r.Table.Tally()
	if t.Listed > 0 {
		put("\n  ")
	}
	notes := r.Notes
	if notes == nil {
		notes = []string{}
	}
	said, err := json.Marshal(notes)
	if err != nil {
		return err
	}
	put("],\n  \"listed\": %d,\n  \"left\": %d,\n  \"more\": %t,\n  \"sorting_bytes\": %d,\n  \"notes\": %s\n}\n", t.Listed, t.Left, t.More || t.Left > 0, t.Ordered, said)
	return b.Flush()
}

// appendCell appends a value.
func appendCell(line []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(line, "null"...), nil
	case int:
		return strconv.AppendInt(line, int64(v), 10), nil
	case uint64:
		return append(append(append(line, '"'), inspect.Address(v).String()...), '"'), nil
	}
	text, err := json.Marshal(value)
	return append(line, text...), err
}
