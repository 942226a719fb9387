package render

import (
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/inspect"
)

// operations writes who allocated a block and who freed it, as far as that is known.
func (p *page) operations(indent string, b *inspect.Block) {
	p.operation(indent, "allocated by", b.Allocated)
	p.operation(indent, "freed by", b.Freed)
}

// operationLabel is how wide the words before an operation are.
const operationLabel = len("allocated by  ")

// operation writes who did something, and below it the call stack.
func (p *page) operation(indent, what string, o *inspect.Operation) {
	if o == nil {
		return
	}
	p.printf("%s%s%s\n", indent, p.paint(dim, fmt.Sprintf("%-*s", operationLabel, what)), operationInWords(o))
	p.stack(indent+strings.Repeat(" ", operationLabel), o)
}

// operationInWords says who did something, and when.
func operationInWords(o *inspect.Operation) string {
	who := "goroutine " + goroutine(o)
	if o.Goroutine == 0 {
		who = "a goroutine that is not known"
	}
	if o.Sequence == 0 {
		return who
	}
	return who + ", operation " + number(o.Sequence)
}

// goroutine is the number that a traceback has for the goroutine.
func goroutine(o *inspect.Operation) string {
	if o == nil || o.Goroutine == 0 {
		return "–"
	}
	return fmt.Sprint(o.Goroutine)
}

// lastOperation is what was done to a block last, as far as that is known.
func lastOperation(b *inspect.Block) *inspect.Operation {
	if b.Freed != nil {
		return b.Freed
	}
	return b.Allocated
}

// sequence is the operation's number.
func sequence(o *inspect.Operation) string {
	if o == nil || o.Sequence == 0 {
		return "–"
	}
	return number(o.Sequence)
}
