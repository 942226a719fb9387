package render

import (
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/inspect"
)

// widestFunction is the longest name that file and line are aligned behind.
const widestFunction = 48

// stack writes the call stack of an operation: a line for each frame, or the addresses side by side where nobody knows the
// functions.
func (p *page) stack(indent string, o *inspect.Operation) {
	if len(o.Frames) == 0 {
		p.addresses(indent, o.Addresses)
		return
	}
	column := 0
	for _, f := range o.Frames {
		column = max(column, min(width(shortFunction(f.Function)), widestFunction))
	}
	for _, f := range o.Frames {
		p.printf("%s\n", strings.TrimRight(fmt.Sprintf("%s%-*s   %s", indent, column, shortFunction(f.Function), p.paint(dim, place(f))), " "))
	}
}

// place is where a call is, without the folder.
func place(f inspect.Frame) string {
	return fmt.Sprintf("%s:%d", f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
}

// addresses writes a stack that nobody has symbols for.
func (p *page) addresses(indent string, addresses []inspect.Address) {
	var texts []string
	for _, a := range addresses {
		texts = append(texts, a.String())
	}
	if len(texts) > 0 {
		p.flow(indent, indent, texts, " ")
	}
}

// shortFunction is a function's name without the path of its package. Type arguments have paths of their own.
func shortFunction(name string) string {
	path, arguments, generic := strings.Cut(name, "[")
	path = path[strings.LastIndexByte(path, '/')+1:]
	if generic {
		return path + "[" + arguments
	}
	return path
}
