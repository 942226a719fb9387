package inspect_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/symbols"
	"github.com/glassheap/glassheap/inspect/target"
	"github.com/glassheap/glassheap/leaksignature"
)

// TestLeaksAreThoseThatTheProgramKnows: the groups, and every frame of them, are what the allocator in the program says,
// whatever was done to the executable.
func TestLeaksAreThoseThatTheProgramKnows(t *testing.T) {
	for name, arguments := range map[string][]string{
		"plain": nil, "stripped": {"-ldflags=-s -w"}, "position-independent": {"-buildmode=pie"}, "not inlined": {"-gcflags=-l"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLeaker(t, buildLeaker(t, arguments...), "audit", "1000")
			r, err := l.open(t, "").Leaks(t.Context(), inspect.LeakOptions{})
			require.NoError(t, err)
			require.Empty(t, r.Notes)
			var found []ownLeak
			blocks, size := uint64(0), uint64(0)
			for _, g := range r.Groups {
				own := ownLeak{Blocks: g.Blocks, Bytes: g.Bytes}
				for _, f := range g.Oldest.Frames {
					own.Frames = append(own.Frames, inspect.Frame{Function: f.Function, File: f.File, Line: f.Line})
				}
				found = append(found, own)
				blocks, size = blocks+g.Blocks, size+g.Bytes
			}
			require.ElementsMatch(t, l.leaks, found)
			require.Equal(t, []uint64{blocks, size}, []uint64{r.Blocks, r.Bytes})
			require.Equal(t, []uint64{blocks, size}, []uint64{r.Live, r.LiveBytes})
			most := r.Groups[0]
			require.Equal(t, "main.leakReport", functionsOf(most)[1])
			require.EqualValues(t, 200_000, most.Most)
			for _, g := range r.Groups {
				if functionsOf(g)[0] == "main.keepSessions" {
					require.EqualValues(t, 1, g.Oldest.Sequence, "the first of all operations")
				}
			}
			for i := range r.Groups[1:] {
				require.GreaterOrEqual(t, r.Groups[i].Bytes, r.Groups[i+1].Bytes)
			}
		})
	}
}

func functionsOf(g inspect.LeakGroup) (names []string) {
	for _, f := range g.Oldest.Frames {
		names = append(names, f.Function)
	}
	return names
}

// TestUnreachableBlocks finds the blocks that the program has lost, and none that it still refers to.
func TestUnreachableBlocks(t *testing.T) {
	t.Parallel()
	l := startLeaker(t, buildLeaker(t), "audit", "1000")
	p, err := inspect.ProgramOf(l.target, "")
	require.NoError(t, err)
	defer p.Close()
	r, err := inspect.Unreachable(t.Context(), l.target, p, inspect.LeakOptions{})
	require.NoError(t, err)
	type family struct{ heads, below, bytes, belowBytes uint64 }
	found := map[string]family{}
	for _, g := range r.Groups {
		for _, name := range functionsOf(g) {
			if strings.HasPrefix(name, "main.leak") || strings.HasPrefix(name, "main.keep") {
				f := found[name]
				found[name] = family{f.heads + g.Blocks, f.below + g.Below, f.bytes + g.Bytes, f.belowBytes + g.BelowBytes}
				break
			}
		}
	}
	require.Equal(t, map[string]family{
		"main.leakReport":     {1, 0, 200_000, 0},
		"main.leakOrders":     {50, 0, 3600, 0},
		"main.leakChains":     {10, 30, 240, 720},
		"main.leakCircles":    {4, 4, 96, 96},
		"main.leakInlined":    {2, 0, 208, 0},
		"main.leakPastTheEnd": {1, 0, 56, 0},
	}, found)
	require.EqualValues(t, 102, r.Blocks)
	require.EqualValues(t, 205_016, r.Bytes)
	require.EqualValues(t, 1208, r.Live)
	require.NotZero(t, r.Stopped)
	require.NotZero(t, r.RootBytes)
	require.Empty(t, r.Notes)
}

// TestUnreachableInOtherModes: without records there is one group, and a note that says why.
func TestUnreachableInOtherModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sealed", "plain"} {
		l := startLeaker(t, buildLeaker(t), mode, "0")
		r, err := inspect.Unreachable(t.Context(), l.target, nil, inspect.LeakOptions{})
		require.NoError(t, err)
		require.Len(t, r.Groups, 1)
		require.EqualValues(t, 102, r.Blocks)
		require.EqualValues(t, 34, r.Groups[0].Below)
		require.NotEmpty(t, r.Groups[0].Unrecorded)
		require.Len(t, r.Notes, 1)
		require.Contains(t, r.Notes[0], "mode "+mode)
	}
}

// TestNothingToSearch: a snapshot has no roots, and this very process can't be asked.
func TestNothingToSearch(t *testing.T) {
	l := startLeaker(t, buildLeaker(t), "audit", "0")
	path := filepath.Join(t.TempDir(), "leaker.snapshot")
	_, err := inspect.Snapshot(t.Context(), l.target, path, inspect.SnapshotOptions{})
	require.NoError(t, err)
	s, err := target.Open(t.Context(), path, target.Options{})
	require.NoError(t, err)
	defer s.Close()
	_, err = inspect.Unreachable(t.Context(), s, nil, inspect.LeakOptions{})
	require.ErrorAs(t, err, new(*target.NoRootsError))
	require.ErrorContains(t, err, "ask the process itself")

	newHeap(t, allocator.Options{Name: "own"})
	self, err := target.Self(target.Options{Heap: "own"})
	require.NoError(t, err)
	defer self.Close()
	_, err = inspect.Unreachable(t.Context(), self, nil, inspect.LeakOptions{})
	require.ErrorContains(t, err, "ask from another process")
}

// TestASnapshotNamesItsProgram: with the executable it has names, with another one there is an error, without one a note.
func TestASnapshotNamesItsProgram(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string][]string{"plain": nil, "position-independent": {"-buildmode=pie"}} {
		t.Run(name, func(t *testing.T) {
			exe := buildLeaker(t, arguments...)
			l := startLeaker(t, exe, "audit", "0")
			path := filepath.Join(t.TempDir(), "leaker.snapshot")
			_, err := inspect.Snapshot(t.Context(), l.target, path, inspect.SnapshotOptions{})
			require.NoError(t, err)
			s, err := target.Open(t.Context(), path, target.Options{})
			require.NoError(t, err)
			defer s.Close()

			want, err := l.open(t, "").Leaks(t.Context(), inspect.LeakOptions{})
			require.NoError(t, err)
			got, err := openNamed(t, s, exe).Leaks(t.Context(), inspect.LeakOptions{})
			require.NoError(t, err)
			require.Equal(t, want.Groups, got.Groups)

			_, err = inspect.ProgramOf(s, buildLeaker(t, "-gcflags=-l"))
			require.ErrorAs(t, err, new(*symbols.WrongExecutableError))
			_, err = inspect.ProgramOf(s, path)
			require.ErrorContains(t, err, "no executable of a Go program")

			unnamed, err := openNamed(t, s, "").Leaks(t.Context(), inspect.LeakOptions{})
			require.NoError(t, err)
			require.Len(t, unnamed.Groups, len(got.Groups))
			require.Empty(t, unnamed.Groups[0].Oldest.Frames)
			require.NotEmpty(t, unnamed.Groups[0].Oldest.Addresses)
			require.Len(t, unnamed.Notes, 1)
			require.Contains(t, unnamed.Notes[0], "--exe FILE (its build ID is go:")
		})
	}
}

// TestAHeapFileHasNoProgram: an executable is taken, with a note, unless nobody can say where it was.
func TestAHeapFileHasNoProgram(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "own", Mode: allocator.ModeAudit, ReserveBytes: 64 << 20})
	_, err := h.Alloc(100)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "heap")
	require.NoError(t, os.WriteFile(path, image(t, h), 0o600))
	file, err := target.Open(t.Context(), path, target.Options{})
	require.NoError(t, err)
	defer file.Close()
	self, err := os.Executable()
	require.NoError(t, err)
	r, err := openNamed(t, file, self).Leaks(t.Context(), inspect.LeakOptions{})
	require.NoError(t, err)
	require.Contains(t, functionsOf(r.Groups[0])[0], "TestAHeapFileHasNoProgram")
	require.Len(t, r.Notes, 1)
	require.Contains(t, r.Notes[0], "nothing tells whether")
	_, err = inspect.ProgramOf(file, buildLeaker(t, "-buildmode=pie"))
	require.ErrorAs(t, err, new(*symbols.BiasError))
}

// TestProfilesAndSignatures of leaks hold what the leaks do.
func TestProfilesAndSignatures(t *testing.T) {
	t.Parallel()
	l := startLeaker(t, buildLeaker(t), "audit", "0")
	r, err := l.open(t, "").Leaks(t.Context(), inspect.LeakOptions{})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, r.Profile(&b))
	p, err := profile.Parse(&b)
	require.NoError(t, err)
	require.Len(t, p.Sample, len(r.Groups))
	blocks, size := int64(0), int64(0)
	inlined := false
	for i, s := range p.Sample {
		blocks, size = blocks+s.Value[0], size+s.Value[1]
		var functions []string
		for _, l := range s.Location {
			inlined = inlined || len(l.Line) > 1
			for _, line := range l.Line {
				functions = append(functions, line.Function.Name)
			}
		}
		require.Equal(t, functionsOf(r.Groups[i]), functions)
	}
	require.EqualValues(t, r.Blocks, blocks)
	require.EqualValues(t, r.Bytes, size)
	require.True(t, inlined, "calls that were inlined share a location with their caller")

	b.Reset()
	require.NoError(t, leaksignature.Write(&b, r.Signatures()))
	set, err := leaksignature.Read(&b)
	require.NoError(t, err)
	require.Len(t, set.Signatures(), len(r.Groups))
	for i, g := range r.Groups {
		require.False(t, set.Signatures()[i].CutOff, "these stacks are whole")
		var frames []runtime.Frame
		for _, f := range g.Oldest.Frames {
			frames = append(frames, runtime.Frame{Function: f.Function, File: "/elsewhere/" + f.File, Line: f.Line})
		}
		require.True(t, set.Match(frames))
		frames[0].Line++
		require.False(t, set.Match(frames))
	}
}

// TestAProgramNamesItsOwnStacks, looking at its own heap.
func TestAProgramNamesItsOwnStacks(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "mine", Mode: allocator.ModeAudit, ReserveBytes: 64 << 20})
	_, err := h.Alloc(100)
	require.NoError(t, err)
	self, err := target.Self(target.Options{Heap: "mine"})
	require.NoError(t, err)
	defer self.Close()
	r, err := openNamed(t, self, "").Leaks(t.Context(), inspect.LeakOptions{})
	require.NoError(t, err)
	require.Empty(t, r.Notes)
	require.Equal(t, "github.com/glassheap/glassheap/inspect_test.TestAProgramNamesItsOwnStacks", functionsOf(r.Groups[0])[0])
}

// TestLeaksOfASampledHeap are the estimates that the allocator makes, and say so; the totals are counted.
func TestLeaksOfASampledHeap(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "sampled", ReserveBytes: 64 << 20})
	for range 20_000 {
		_, err := h.Alloc(40)
		require.NoError(t, err)
	}
	require.NoError(t, h.SetProfileRate(64))
	for n := range 12_800 {
		_, err := h.Alloc(100 + n%20)
		require.NoError(t, err)
	}
	_, err := h.Alloc(100_000)
	require.NoError(t, err)
	self, err := target.Self(target.Options{Heap: "sampled"})
	require.NoError(t, err)
	defer self.Close()
	r, err := openNamed(t, self, "").Leaks(t.Context(), inspect.LeakOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 64, r.Sampled)
	require.EqualValues(t, 32_801, r.Live)
	require.Equal(t, r.Live, r.Blocks)
	require.Len(t, r.Groups, 3, "one place each, and what is older")
	for i, own := range h.Leaks() {
		g := r.Groups[i]
		require.Equal(t, []uint64{own.Blocks, own.Bytes, own.Samples}, []uint64{g.Blocks, g.Bytes, g.Samples})
		if g.Oldest == nil {
			require.Equal(t, "allocated before the profile began", g.Unrecorded)
		}
	}
	require.InDelta(t, 12_800, r.Groups[0].Blocks, 2*64*15)
	require.Contains(t, r.Notes[len(r.Notes)-1], "profile=1/64")

	var b bytes.Buffer
	require.NoError(t, r.Profile(&b))
	p, err := profile.Parse(&b)
	require.NoError(t, err)
	require.EqualValues(t, r.Groups[0].Blocks, p.Sample[0].Value[0])
	require.EqualValues(t, 64, p.Period)
	require.Contains(t, p.Comments[0], "one of 64 allocations was recorded")
}
