package leaksignature

import (
	"path"
	"runtime"
	"slices"
	"strings"
)

// Frame is one call of a signature.
type Frame struct {
	Function string // with its package's path
	File     string // name without its folder
	Line     int
}

// Signature is one stack, the innermost call first, without the allocator's own calls and without those of the runtime around
// it.
type Signature struct {
	Frames []Frame
	CutOff bool   // the last frames were not kept: any may follow
	Note   string // for people: what leaked
}

// Set is the signatures of a file. Any number of goroutines may use it.
type Set struct {
	signatures []Signature
	innermost  map[call][]int // which signatures begin with a call
}

// call is what calls are compared by.
type call struct {
	function string
	line     int
}

// NewSet is the set of these signatures. Those without frames match nothing and are left out.
func NewSet(signatures []Signature) *Set {
	s := &Set{innermost: map[call][]int{}}
	for _, g := range signatures {
		if len(g.Frames) == 0 {
			continue
		}
		first := call{g.Frames[0].Function, g.Frames[0].Line}
		s.innermost[first] = append(s.innermost[first], len(s.signatures))
		s.signatures = append(s.signatures, g)
	}
	return s
}

// Signatures lists what the set holds.
func (s *Set) Signatures() []Signature { return slices.Clone(s.signatures) }

// Match reports whether the stack is one of the set's: frames are those of runtime.CallersFrames, the innermost first. The
// allocator's own calls and those of the runtime around the stack may be among them.
func (s *Set) Match(frames []runtime.Frame) bool {
	if s == nil || len(s.signatures) == 0 {
		return false
	}
	frames = withoutAllocator(frames)
	if len(frames) == 0 {
		return false
	}
	for _, i := range s.innermost[call{frames[0].Function, frames[0].Line}] {
		if s.signatures[i].matches(frames) {
			return true
		}
	}
	return false
}

// matches expects frames without the allocator's.
func (g *Signature) matches(frames []runtime.Frame) bool {
	for _, want := range g.Frames {
		for len(frames) > 0 && outermost(frames[0].Function) {
			frames = frames[1:]
		}
		if len(frames) == 0 || frames[0].Function != want.Function || frames[0].Line != want.Line {
			return false
		}
		frames = frames[1:]
	}
	return g.CutOff || !slices.ContainsFunc(frames, func(f runtime.Frame) bool { return !outermost(f.Function) })
}

// ofHeap is report.OfHeap, for a package that imports nothing of this module.
func ofHeap(function string) bool {
	return strings.HasPrefix(function, "github.com/glassheap/glassheap/allocator.") || strings.HasPrefix(function, "github.com/glassheap/glassheap/offheap.")
}

func withoutAllocator(frames []runtime.Frame) []runtime.Frame {
	for len(frames) > 0 && ofHeap(frames[0].Function) {
		frames = frames[1:]
	}
	return frames
}

// outermost reports whether a function is the runtime's around every stack.
func outermost(function string) bool {
	return function == "" || function == "runtime.goexit" || function == "runtime.main"
}

// FileName is the name of a file without its folder, as signatures hold it.
func FileName(file string) string { return path.Base(strings.ReplaceAll(file, `\`, "/")) }
