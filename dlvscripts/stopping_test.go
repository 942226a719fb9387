package dlvscripts

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// TestWatchStopsAtTheInstruction: what the heap writes does not stop the program, what writes past the end does.
func TestWatchStopsAtTheInstruction(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "overrun")
	r := debugging.Record(s.Delve).Typed("gh_watch block", "gh_watch block", "continue")
	answer := r.Text.String()
	require.Contains(t, answer, "written by   main.write    main.go:146", "the line of the assignment, not the one that comes next")
	require.Contains(t, answer, "a string copied with its terminator")
	require.Regexp(t, `(?m)^next  gh_whatis 0x[0-9a-f]+   the block and its neighbours$`, answer)
	require.Contains(t, s.Ask("stack 1"), "main.write")
	golden(t, r.Typed("print i", "gh_check", "continue"), "watch")
}

// TestBreakInit goes through a healthy program without finding a wrong field, and leaves it where somebody else stops.
func TestBreakInit(t *testing.T) {
	t.Parallel()
	program := heaps(t)
	s := start(t, "exec", program, "--", "shop")
	r := debugging.Record(s.Delve).Typed("gh_break init", "gh_break init", "break main.stop", "continue")
	answer := r.Text.String()
	require.NotContains(t, answer, "WRONG")
	require.NotContains(t, answer, "changing")
	require.Equal(t, 2, strings.Count(answer, "arena for"), "of pages, and of a huge span")
	require.Greater(t, strings.Count(answer, "slab for"), 15)
	require.Contains(t, s.Ask("stack 0"), "main.stop")
	if i := strings.Index(answer, "Slab 8 "); i > 0 { // what follows is alike
		answer = answer[:i]
	}
	r.Text.Reset()
	r.Text.WriteString(answer + "…\n")
	golden(t, r, "init")
}

// TestBreakInitStaysAtAWrongField: a slab whose figures are wrong while it is made, as if the bin table had been made wrongly;
// and one of a bin that has another number, one whose slabs have more links.
func TestBreakInitStaysAtAWrongField(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ function, mistake, says string }{
		"stride": {"pushSlab", "s.Stride = 25", `Stride +25 +WRONG, expected 24 \(the bin's stride\)`},
		"bin":    {"slabDescriptor", "b.ID = 0", `Stride +24 +WRONG, expected 16 \(the bin's stride\)`},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, "exec", heaps(t), "--", "shop")
			s.Ask("gh_break init")
			s.Ask("break " + allocatorPackage + ".(*Heap)." + c.function)
			s.Ask("continue")
			require.Contains(t, s.Ask("stack 1"), "makeSlab")
			require.Empty(t, strings.TrimSpace(s.Ask("set "+c.mistake)))
			require.Regexp(t, c.says, s.Ask("continue"))
			require.Contains(t, s.Ask("stack 0"), "OnSlabReady", "it stays where the wrong field is")
		})
	}
}

const allocatorPackage = "github.com/glassheap/glassheap/allocator"

func TestBreakAtViolationsAllocationsAndFrees(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "violate", "overrun")
	r := debugging.Record(s.Delve).Typed("gh_break violation", "gh_break free block", "gh_break alloc 3", "continue", "continue", "continue", "continue")
	answer := r.Text.String()
	require.Contains(t, answer, "double-free during free")
	require.Contains(t, answer, "freed by     main.free")
	require.NotContains(t, answer, "asked for by main.alloc", "a heap that was made since has not been reached yet")
	golden(t, r.Typed("continue", "gh_break alloc 3 heap=names", "continue"), "break")
}

// TestBreakLeakStopsWhereAnEarlierRunLeaked, and not at what it freed.
func TestBreakLeakStopsWhereAnEarlierRunLeaked(t *testing.T) {
	t.Parallel()
	leaky, leaks := debugging.Program(t, "../allocator/testdata/leaky"), filepath.Join(t.TempDir(), "leaks.txt")
	out, err := exec.Command(leaky, leaks).CombinedOutput()
	require.NoError(t, err, "%s", out)
	initFile, err := Unpack(debugging.Folder, Options{}, "")
	require.NoError(t, err)
	d := debugging.StartDelveWith(t, []string{"GLASSHEAP=break=" + leaks}, "testdata", initFile, "exec", leaky)
	require.Contains(t, d.Ask("gh_break leak"), "breakpoint 1 stops at each allocation from a stack of GLASSHEAP=break=FILE")
	for range 2 {
		answer := d.Ask("continue")
		require.Regexp(t, `\n40 bytes at 0x[0-9a-f]+, from a stack that leaked in an earlier run\nallocated by main\.forgets  main\.go:\d+\n +main\.main     main\.go:\d+\n`, answer)
		block := regexp.MustCompile(`bytes at (0x[0-9a-f]+)`).FindStringSubmatch(answer)[1]
		require.Contains(t, d.Ask("gh_whatis "+block), "a live block of 40 bytes")
	}
	require.Contains(t, d.Ask("continue"), "has exited with status 0")
}

// TestBreakStackStopsWithinAFunction: of a thousand allocations and frees, at those that a function is on the stack of.
func TestBreakStackStopsWithinAFunction(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "visit")
	require.Contains(t, s.Ask("gh_break stack main.greet"), `breakpoint 2 stops at each request in a call of a function named like "main.greet"`)
	require.Contains(t, s.Ask("gh_break stack main.greet"), "already")
	require.Contains(t, s.Ask("gh_break stack other"), "two cannot be")
	require.Contains(t, s.Ask("gh_break stack greet free"), "each free in a call of")
	began := time.Now()
	require.Regexp(t, `\nasked for by main\.alloc  main\.go:\d+\n +main\.serve  main\.go:\d+\n +main\.greet  main\.go:\d+\n`, s.Ask("continue"))
	t.Logf("%v for each of 2,000 that went by", time.Since(began)/2000)
	require.Regexp(t, `\nfreed by +main\.free +main\.go:\d+\n +main\.goodbye  main\.go:\d+\n +main\.greet +main\.go:\d+\n`, s.Ask("continue"))
	require.Contains(t, s.Ask("continue"), "main.stop", "nobody else greets")
	require.Contains(t, s.Ask("gh_break stack"), "usage")
	require.Contains(t, s.Ask("gh_break stack a b"), "usage")
}
