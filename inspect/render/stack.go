package render

import (
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/inspect"
)

// Symbols knows the functions of the program that a heap belongs to.
type Symbols interface {
	// Frames are those of a return address, the innermost first: more than one where calls were inlined; none: not known.
	Frames(returnAddress uint64) []Frame
}

// Frame is one call of a call stack.
type Frame struct {
	Function string // with the path of its package: "example.com/shop/server.(*Session).SetName"
	File     string
	Line     int
}

// allocatorPackage is where the innermost frames of every recorded stack are, which tell nothing.
const allocatorPackage = "github.com/glassheap/glassheap/allocator."

// widestFunction is the longest name that file and line are aligned behind.
const widestFunction = 48

// stack writes a call stack: a line for each frame, or the addresses side by side where nobody knows the functions.
func (p *page) stack(indent string, addresses []inspect.Address) {
	type line struct{ function, place string }
	var lines []line
	known, column := false, 0
	for _, a := range addresses {
		frames := p.frames(uint64(a))
		if len(frames) == 0 {
			lines = append(lines, line{a.String(), ""})
		}
		for _, f := range frames {
			if len(lines) == 0 && strings.HasPrefix(f.Function, allocatorPackage) {
				known = true
				continue
			}
			known = true
			lines = append(lines, line{shortFunction(f.Function), fmt.Sprintf("%s:%d", f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)})
		}
	}
	if !known {
		p.addresses(indent, addresses)
		return
	}
	for _, l := range lines {
		column = max(column, min(width(l.function), widestFunction))
	}
	for _, l := range lines {
		p.printf("%s\n", strings.TrimRight(fmt.Sprintf("%s%-*s   %s", indent, column, l.function, p.paint(dim, l.place)), " "))
	}
}

func (p *page) frames(address uint64) []Frame {
	if p.Symbols == nil {
		return nil
	}
	return p.Symbols.Frames(address)
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
