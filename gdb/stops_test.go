package gdb

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// TestWatchStopsAtTheInstruction: not when blocks are freed and allocated again, but when one is run over, and in the line
// that does it; where the seal is hit, and where the bytes before it are.
func TestWatchStopsAtTheInstruction(t *testing.T) {
	t.Parallel()
	needGDB(t)
	source, err := os.ReadFile("testdata/victim/main.go")
	require.NoError(t, err)
	before, _, found := strings.Cut(string(source), "unsafe.SliceData(b)), len(b))) = 0")
	require.True(t, found)
	line := strconv.Itoa(1 + strings.Count(before, "\n"))
	for _, build := range []func(*testing.T) string{victim, unoptimisedVictim} {
		for _, kind := range []string{"overflow", "slack", "churn"} {
			transcript := play(t, "break main.ready\nrun "+kind+"\nglassheap watch b\ndelete 1\ncontinue\nshow language\nbacktrace 1\nglassheap check", build(t))
			stop := debugging.Answers(transcript, "continue")[0]
			require.Contains(t, stop, "was run over", kind)
			require.Regexp(t, `(?m)^written by   main\.overflow +main\.go:`+line+`\n(?: {13}main\.churn +main\.go:\d+\n)? {13}main\.main +main\.go:\d+\nnext  glassheap whatis 0x`, stop, "the line of the assignment, not the one that comes next")
			require.Contains(t, answer(t, transcript, "backtrace 1"), "main.overflow", kind)
			require.Contains(t, answer(t, transcript, "show language"), `"auto; currently go"`)
			require.Contains(t, answer(t, transcript, "glassheap check"), "overflow by 1 byte, past a live block of "+map[string]string{"overflow": "40", "slack": "41", "churn": "40"}[kind])
		}
	}
}

func TestWatchSaysWhyNot(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, "glassheap watch 0x10\nbreak main.ready\nrun plain\nglassheap watch b\nglassheap watch\nglassheap watch nothing.at.all\nglassheap watch h", victim(t))
	found := debugging.Answers(transcript, "glassheap watch 0x10")
	require.Contains(t, found[0], "there is no program yet")
	require.Contains(t, answer(t, transcript, "glassheap watch b"), "the heap is plain")
	require.Contains(t, answer(t, transcript, "glassheap watch"), "watch takes an address")
	require.Contains(t, answer(t, transcript, "glassheap watch nothing.at.all"), "glassheap: nothing.at.all: ")
	require.Contains(t, answer(t, transcript, "glassheap watch h"), "the heap is plain")
}

// TestBreakInitShowsEachStructAsItIsMade, before the program has started, and goes on by itself.
func TestBreakInitShowsEachStructAsItIsMade(t *testing.T) {
	t.Parallel()
	needGDB(t)
	for _, build := range []func(*testing.T) string{victim, unoptimisedVictim} {
		out := answer(t, play(t, "glassheap break init\nrun overflow", build(t)), "run overflow")
		require.Equal(t, 1, strings.Count(out, "\nArena 0 ")+strings.Count(out[:min(10, len(out))], "Arena 0 "), out)
		require.Equal(t, 6, strings.Count(out, "\nSlab "), out)
		require.NotContains(t, out, "WRONG")
		require.Contains(t, out, "Capacity 512 ok")
		require.NotContains(t, out, "Breakpoint", "it did not stop")
	}
}

// TestBreakInitStopsWhenAFieldIsWrong: a bin is damaged before its first slab is made.
func TestBreakInitStopsWhenAFieldIsWrong(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, `
glassheap break init
tbreak github.com/glassheap/glassheap/allocator.(*Heap).makeSlab
run
set variable b.Stride = 24
continue
backtrace 2`, unoptimisedVictim(t))
	out := answer(t, transcript, "continue")
	require.Regexp(t, `(?m)^Slab 0  0x[0-9a-f]+  \d+ checks, \d+ WRONG$`, out)
	require.Regexp(t, `Stride 24 WRONG, expected 32 \(the bin's\s+stride\)`, out)
	require.Contains(t, answer(t, transcript, "backtrace 2"), "OnSlabReady")
}

func TestBreakViolationStopsAtEach(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, "glassheap break violation\nrun double-free\nprint *violation\nglassheap whatis violation.Block\ncontinue", victim(t))
	require.Regexp(t, `glassheap: double-free during free of 0x[0-9a-f]+: the block is free already\nnext  glassheap whatis 0x`, answer(t, transcript, "run double-free"))
	require.Regexp(t, `= double-free during free of .* = \{.*Kind = double-free,`, answer(t, transcript, "print *violation"))
	require.Contains(t, answer(t, transcript, "glassheap whatis violation.Block"), "the start of a cached block")
	require.Regexp(t, debugging.Ended, answer(t, transcript, "continue"))
}

// TestBreakLeakStopsWhereAnEarlierRunLeaked, in that run's order, and not at what it freed.
func TestBreakLeakStopsWhereAnEarlierRunLeaked(t *testing.T) {
	t.Parallel()
	needGDB(t)
	leaky, leaks := debugging.Program(t, "../allocator/testdata/leaky"), filepath.Join(t.TempDir(), "leaks.txt")
	out, err := exec.Command(leaky, leaks).CombinedOutput()
	require.NoError(t, err, "%s", out)
	transcript := play(t, "set environment GLASSHEAP break="+leaks+"\nglassheap break leak\nrun\nglassheap whatis address\ncontinue", leaky)
	says := `^\nglassheap: 40 bytes at 0x[0-9a-f]+, from a stack that leaked in an earlier run\n` +
		`allocated by main\.forgets  main\.go:\d+\n {13}main\.main     main\.go:\d+\n`
	require.Regexp(t, says, answer(t, transcript, "run"))
	require.Contains(t, answer(t, transcript, "glassheap whatis address"), "a live block of 40 bytes")
	require.Regexp(t, says, answer(t, transcript, "continue"))
}

// TestBreakStackStopsWithinAFunction, at what it allocates and at what it frees, and nowhere else.
func TestBreakStackStopsWithinAFunction(t *testing.T) {
	t.Parallel()
	needGDB(t)
	leaky, leaks := debugging.Program(t, "../allocator/testdata/leaky"), filepath.Join(t.TempDir(), "leaks.txt")
	transcript := play(t, "glassheap break stack main.forg\nrun "+leaks+"\ncontinue\ncontinue\nglassheap break stack\nglassheap break stack a b", leaky)
	asks := `(?s)^\nasked for by main\.forgets  main\.go:\d+\n\n.*\(\*Heap\)\.malloc`
	require.Regexp(t, asks, answer(t, transcript, "run "+leaks))
	continued := debugging.Answers(transcript, "continue")
	require.Regexp(t, asks, continued[0])
	require.Regexp(t, debugging.Ended, continued[1])
	require.Contains(t, answer(t, transcript, "glassheap break stack"), "break takes init, violation, leak or stack TEXT")
	require.Contains(t, answer(t, transcript, "glassheap break stack a b"), "break takes init, violation, leak or stack TEXT")

	transcript = play(t, "glassheap break stack main.remembers free\nrun "+leaks+"\ndelete\ncontinue", leaky)
	require.Regexp(t, `(?s)^\nfreed by     main\.remembers  main\.go:\d+\n\n.*\(\*Heap\)\.free`, answer(t, transcript, "run "+leaks))
	require.Regexp(t, debugging.Ended, answer(t, transcript, "continue"))
}

// TestEveryStopIsLookedAtAnew: what was found out at one stop is not believed at the next.
func TestEveryStopIsLookedAtAnew(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, "break main.ready\nrun overflow\nglassheap check\nprint $gh_status\ncontinue\nglassheap check\nprint $gh_status\nset variable *(char*)0 = 0\nkill\nglassheap check", victim(t))
	checks := debugging.Answers(transcript, "glassheap check")
	require.Contains(t, checks[0], "healthy")
	require.Contains(t, checks[1], "overflow by 1 byte")
	require.Contains(t, checks[2], "there is no program yet")
	status := debugging.Answers(transcript, "print $gh_status")
	require.Contains(t, status[0], "= 0")
	require.Contains(t, status[1], "= 1")
}
