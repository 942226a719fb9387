package render

import "io"

// Prompt writes a command as if it had been typed.
func Prompt(w io.Writer, s Style, command string) error {
	p := newPage(w, s)
	p.printf("\n%s\n", p.paint(strong, "$ "+command))
	return p.err
}
