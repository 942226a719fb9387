package inspect

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
	"github.com/glassheap/glassheap/leaksignature"
)

// The ways in which stacks of two heaps are told to be the same.
const (
	byAddresses = "addresses" // of one process, or of one build without address randomisation
	byLines     = "lines"     // function and line of each call, as leak signatures are
	byFunctions = "functions" // of two builds, whose lines may have moved
	byNothing   = "nothing"   // nobody knows the functions
)

// stackMatch finds the stacks of two heaps that are the same.
type stackMatch struct {
	by            string
	note          string // what the user should know of it
	before, after sideStacks
}

// sideStacks are the stacks of one of the two heaps, by what they are compared by.
type sideStacks struct {
	heap *Heap
	by   string
	side string // tells the stacks of one heap from those of the other, where they can't be compared
	keys map[layout.StackRef]string
}

// matchStacks decides how the stacks of two heaps are compared. A heap whose program nobody knows borrows that of the other, if
// both have the same functions at the same addresses.
func matchStacks(before, after *Heap, same bool) stackMatch {
	m := stackMatch{by: byLines}
	a, errA := target.OriginOf(before.target)
	b, errB := target.OriginOf(after.target)
	build := errA == nil && errB == nil && a.BuildID != "" && a.BuildID == b.BuildID
	if same || build && a.Entry == b.Entry {
		m.by = byAddresses
		switch {
		case !before.program.known():
			before.program = after.program
		case !after.program.known():
			after.program = before.program
		}
	}
	switch {
	case m.by == byAddresses:
	case !before.program.known() || !after.program.known():
		m.by = byNothing
		m.note = "the stacks of the two can't be compared, because nobody knows the functions of both: give the executables, --exe FILE and --exe-b FILE. They are listed apart"
	case !build:
		m.by = byFunctions
		m.note = "these are two builds of the program: stacks are compared by their functions, for their lines may have moved"
	}
	m.before = sideStacks{before, m.by, "before", map[layout.StackRef]string{}}
	m.after = sideStacks{after, m.by, "after", map[layout.StackRef]string{}}
	return m
}

// known reports whether the functions have names.
func (p *Program) known() bool {
	_, err := p.table()
	return err == nil
}

// key is what the blocks of a group have in common, and why it is not known who allocated them.
func (s *sideStacks) key(b *liveBlock) (key string, why unrecorded) {
	if b.why != recorded {
		return unrecordedKey(b.why), b.why
	}
	ref := b.record.AllocStack
	key, made := s.keys[ref]
	if !made {
		if s.heap.stored(ref) {
			key = s.make(s.heap.stacks.stacks[ref].addresses)
		} else {
			key = unrecordedKey(stackLost)
		}
		s.keys[ref] = key
	}
	if key == unrecordedKey(stackLost) {
		return key, stackLost
	}
	return key, recorded
}

// unrecordedKey is the key of blocks of which it is not known who allocated them.
func unrecordedKey(why unrecorded) string { return fmt.Sprintf("unrecorded %d", why) }

// make is the key of a stack.
func (s *sideStacks) make(addresses []uint64) string {
	var b strings.Builder
	switch s.by {
	case byLines, byFunctions:
		for _, f := range s.heap.program.framesOf(addresses) {
			b.WriteString(f.Function)
			if s.by == byLines {
				fmt.Fprintf(&b, "\n\t%s:%d", leaksignature.FileName(f.File), f.Line)
			}
			b.WriteByte('\n')
		}
		return b.String()
	case byNothing:
		b.WriteString(s.side)
	}
	word := make([]byte, 8)
	for _, a := range addresses {
		binary.LittleEndian.PutUint64(word, a)
		b.Write(word)
	}
	return b.String()
}
