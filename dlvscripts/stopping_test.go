package dlvscripts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWatchStopsAtTheInstruction: what the heap writes does not stop the program, what writes past the end does.
func TestWatchStopsAtTheInstruction(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "overrun")
	r := record(s).typed("gh_watch block", "gh_watch block", "continue")
	answer := r.text.String()
	require.Contains(t, answer, "written by   main.write    main.go:143", "the line of the assignment, not the one that comes next")
	require.Contains(t, answer, "a string copied with its terminator")
	require.Contains(t, s.ask("stack 1"), "main.write")
	r.typed("print i", "gh_check", "continue").golden("watch")
}

// TestBreakInit goes through a healthy program without finding a wrong field, and leaves it where somebody else stops.
func TestBreakInit(t *testing.T) {
	t.Parallel()
	program, err := heaps()
	require.NoError(t, err)
	s := start(t, "exec", program, "--", "shop")
	r := record(s).typed("gh_break init", "gh_break init", "break main.stop", "continue")
	answer := r.text.String()
	require.NotContains(t, answer, "WRONG")
	require.NotContains(t, answer, "changing")
	require.Equal(t, 2, strings.Count(answer, "arena for"), "of pages, and of a huge span")
	require.Greater(t, strings.Count(answer, "slab for"), 15)
	require.Contains(t, s.ask("stack 0"), "main.stop")
	if i := strings.Index(answer, "Slab 8 "); i > 0 { // what follows is alike
		answer = answer[:i]
	}
	r.text.Reset()
	r.text.WriteString(answer + "…\n")
	r.golden("init")
}

// TestBreakInitStaysAtAWrongField: a slab whose figures are wrong while it is made.
func TestBreakInitStaysAtAWrongField(t *testing.T) {
	t.Parallel()
	program, err := heaps()
	require.NoError(t, err)
	s := start(t, "exec", program, "--", "shop")
	s.ask("gh_break init")
	s.ask("break " + allocatorPackage + ".(*Heap).pushSlab")
	s.ask("continue")
	require.Contains(t, s.ask("stack 1"), "makeSlab")
	require.Empty(t, strings.TrimSpace(s.ask("set s.Stride = 25"))) // as if the bin table had been made wrongly
	answer := s.ask("continue")
	require.Regexp(t, `Stride +25 +WRONG, expected 24 \(the bin's stride\)`, answer)
	require.Contains(t, s.ask("stack 0"), "OnSlabReady", "it stays where the wrong field is")
}

// TestBreakInitStaysAtAWrongBin: a slab of a bin that has another number, one whose slabs have more links.
func TestBreakInitStaysAtAWrongBin(t *testing.T) {
	t.Parallel()
	program, err := heaps()
	require.NoError(t, err)
	s := start(t, "exec", program, "--", "shop")
	s.ask("gh_break init")
	s.ask("break " + allocatorPackage + ".(*Heap).slabDescriptor")
	s.ask("continue")
	require.Empty(t, strings.TrimSpace(s.ask("set b.ID = 0")))
	answer := s.ask("continue")
	require.Regexp(t, `Stride +24 +WRONG, expected 16 \(the bin's stride\)`, answer)
	require.Contains(t, s.ask("stack 0"), "OnSlabReady", "it stays where the wrong field is")
}

const allocatorPackage = "github.com/glassheap/glassheap/allocator"

func TestBreakAtViolationsAllocationsAndFrees(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "violate", "overrun")
	r := record(s).typed("gh_break violation", "gh_break free block", "gh_break alloc 3", "continue", "continue", "continue", "continue")
	answer := r.text.String()
	require.Contains(t, answer, "double-free during free")
	require.Contains(t, answer, "freed by     main.free")
	require.NotContains(t, answer, "asked for by main.alloc", "a heap that was made since has not been reached yet")
	r.typed("continue", "gh_break alloc 3 heap=names", "continue").golden("break")
}
