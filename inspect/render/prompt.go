package render

import "io"

// Prompt writes a command as if it had been typed.
func Prompt(w io.Writer, s Style, command string) error {
	p := newPage(w, s)
	p.Printf("\n%s\n", p.Paint(strong, "$ "+command))
	return p.Err
}
