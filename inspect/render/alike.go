package render

import (
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/inspect"
)

// mostNamed is how many of the structs that are wrong alike are named.
const mostNamed = 3

// alike writes findings about the same field of many structs as one.
func (p *page) alike(n int, findings []inspect.Finding) {
	first := findings[0]
	kinds := strings.ToLower(inspect.StructType(first)) + "s"
	if kinds == "pageentrys" {
		kinds = "page entries"
	}
	head := fmt.Sprintf("%s of %s %s is wrong", first.Field, number(len(findings)), kinds)
	if strings.HasPrefix(first.Field, "(") {
		head = fmt.Sprintf("%s %s are wrong %s", number(len(findings)), kinds, first.Field)
	}
	p.findingHead(n, head, first)
	label := p.BodyLabel("structs", "   ")
	for _, f := range findings[:mostNamed] {
		p.Prose(label, fmt.Sprintf("%s: %s, expected %s%s", f.Placed(), p.Paint(damaged, f.Found), f.Expected, p.Because(&f)))
		label = strings.Repeat(" ", width(label))
	}
	if more := len(findings) - mostNamed; more > 0 {
		p.Prose(label, fmt.Sprintf("and %s more", number(more)))
	}
	p.Likely(&first, "   ")
}
