package report

import (
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Operation is who did something to a block.
type Operation struct {
	Goroutine uint64          `json:"goroutine,omitempty"` // as a traceback prints it; 0: not known
	Sequence  uint64          `json:"sequence,omitempty"`  // in the order of the heap's recorded operations; 0: not recorded
	Stack     layout.StackRef `json:"stack,omitempty"`     // its name in the heap's stack table; 0: not known
	Addresses []Address       `json:"addresses,omitempty"` // return addresses, the innermost first
	Frames    []Frame         `json:"frames,omitempty"`    // its calls, without the allocator's and those of the runtime around them
}

// Frame is one call of a stack.
type Frame struct {
	Function string `json:"function"` // with its package's path
	File     string `json:"file"`
	Line     int    `json:"line"`
	Inlined  bool   `json:"inlined,omitempty"` // into the frame that follows

	PC uint64 `json:"-"` // an address in the call's instruction
}

// Place is where the call is, without the folder.
func (f Frame) Place() string {
	return fmt.Sprintf("%s:%d", f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
}

// OfHeap reports whether a function belongs to the allocator or to what is made of its blocks (package offheap). They are left
// out where they begin a stack: users ask who called them.
func OfHeap(function string) bool {
	return strings.HasPrefix(function, "github.com/glassheap/glassheap/allocator.") || strings.HasPrefix(function, "github.com/glassheap/glassheap/offheap.")
}

// UsersFrames are the frames of a stack that are the user's: without those of OfHeap and the runtime's (of a fault) where the
// stack begins, and without those of the runtime around it.
func UsersFrames(stack []Frame) (user []Frame) {
	for _, f := range stack {
		switch {
		case len(user) == 0 && (OfHeap(f.Function) || strings.HasPrefix(f.Function, "runtime.")):
		case Outermost(f.Function) || f.Function == "":
		default:
			user = append(user, f)
		}
	}
	return user
}

// Outermost reports whether a function is the runtime's around every stack.
func Outermost(function string) bool {
	return function == "runtime.goexit" || function == "runtime.main"
}

// ShortFunction is a function's name without the path of its package. Type arguments have paths of their own.
func ShortFunction(name string) string {
	path, arguments, generic := strings.Cut(name, "[")
	path = path[strings.LastIndexByte(path, '/')+1:]
	if generic {
		return path + "[" + arguments
	}
	return path
}

// OperationLabel is how wide the words before an operation are at least.
const OperationLabel = len("allocated by  ")

// Operation writes who did something, and below it the call stack. The words before it take up width columns.
func (p *Page) Operation(indent, what string, width int, o *Operation) {
	if o == nil {
		return
	}
	p.Printf("%s%s%s\n", indent, p.Paint(Dim, fmt.Sprintf("%-*s", width, what)), o.inWords())
	p.stack(indent+strings.Repeat(" ", width), o)
}

// inWords says who did something, and when.
func (o *Operation) inWords() string {
	who := fmt.Sprintf("goroutine %d", o.Goroutine)
	if o.Goroutine == 0 {
		who = "a goroutine that is not known"
	}
	if o.Sequence == 0 {
		return who
	}
	return who + ", operation " + Number(o.Sequence)
}

// widestFunction is the longest name that file and line are aligned behind.
const widestFunction = 48

// stack writes the call stack of an operation: a line for each frame, or the addresses side by side where nobody knows the
// functions.
func (p *Page) stack(indent string, o *Operation) {
	if len(o.Frames) == 0 {
		var texts []string
		for _, a := range o.Addresses {
			texts = append(texts, a.String())
		}
		if len(texts) > 0 {
			p.Flow(indent, indent, texts, " ")
		}
		return
	}
	column := 0
	for _, f := range o.Frames {
		column = max(column, min(p.Columns(ShortFunction(f.Function)), widestFunction))
	}
	for _, f := range o.Frames {
		p.Printf("%s\n", strings.TrimRight(fmt.Sprintf("%s%-*s   %s", indent, column, ShortFunction(f.Function), p.Paint(Dim, f.Place())), " "))
	}
}

// Number is a number with a comma after each three digits.
func Number(n uint64) string {
	digits := fmt.Sprint(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
