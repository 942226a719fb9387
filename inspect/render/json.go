package render

import (
	"encoding/json"
	"io"
)

// JSON writes any answer as indented JSON. Addresses are strings in hexadecimal, durations are nanoseconds.
func JSON(w io.Writer, answer any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(answer)
}
