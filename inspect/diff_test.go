package inspect_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/target"
)

// ledger is what a test knows of its live blocks: each allocation has a number of its own, so that a block which was given back
// and handed out again is another one.
type ledger struct {
	heap  *allocator.Heap
	live  map[uint64]entry // by address
	count int
}

type entry struct {
	block  []byte
	number int
}

func (l *ledger) alloc(t *testing.T, n int) {
	b := alloc(t, l.heap, n)
	l.count++
	l.live[addressOf(b)] = entry{b, l.count}
}

func (l *ledger) free(t *testing.T, address uint64) {
	require.NoError(t, l.heap.Free(l.live[address].block))
	delete(l.live, address)
}

// churn allocates and frees.
func (l *ledger) churn(t *testing.T, r *rand.Rand, rounds int) {
	for range rounds {
		if r.IntN(3) == 0 && len(l.live) > 0 {
			for address := range l.live { // any
				l.free(t, address)
				break
			}
			continue
		}
		size := 1 + r.IntN(600)
		if r.IntN(50) == 0 {
			size = 40_000 + r.IntN(100_000)
		}
		l.alloc(t, size)
	}
}

// state is a copy of what is live, by address: the numbers.
func (l *ledger) state() map[uint64]entry {
	copied := map[uint64]entry{}
	for address, e := range l.live {
		copied[address] = e
	}
	return copied
}

func opened(t *testing.T, memory []byte) *inspect.Heap {
	t.Helper()
	h, err := inspect.Open(t.Context(), target.FromBytes(memory))
	require.NoError(t, err)
	return h
}

func sum(amounts ...inspect.Amount) (s inspect.Amount) {
	for _, a := range amounts {
		s.Blocks += a.Blocks
		s.Bytes += a.Bytes
	}
	return s
}

// TestDiffIsWhatHappened: of two looks at an audited heap, the blocks that are new, gone and kept are those that the program
// knows of, even where a block was freed and handed out again at the same address and of the same size.
func TestDiffIsWhatHappened(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 7))
		// Nothing is held back for long: addresses come back.
		l := &ledger{heap: newHeap(t, allocator.Options{Name: fmt.Sprint("seed ", seed), Mode: allocator.ModeAudit, QuarantineBytes: 4 << 10, GuardRate: int(seed%2) * 20}), live: map[uint64]entry{}}
		l.churn(t, r, 600)
		before, was := opened(t, image(t, l.heap)), l.state()
		l.churn(t, r, 600)
		after, is := opened(t, image(t, l.heap)), l.state()

		var want struct{ new, gone, kept inspect.Amount }
		count := func(a *inspect.Amount, e entry) { a.Blocks++; a.Bytes += uint64(len(e.block)) }
		reused := 0
		for address, e := range is {
			switch old, was := was[address]; {
			case was && old.number == e.number:
				count(&want.kept, e)
			case was:
				reused++
				count(&want.new, e)
			default:
				count(&want.new, e)
			}
		}
		for address, e := range was {
			if now, ok := is[address]; !ok || now.number != e.number {
				count(&want.gone, e)
			}
		}
		require.NotZero(t, reused, "or the test shows less than it should")

		d, err := inspect.Diff(t.Context(), before, after, inspect.DiffOptions{})
		require.NoError(t, err)
		require.True(t, d.SameHeap)
		require.Equal(t, want.new, d.New)
		require.Equal(t, want.gone, d.Gone)
		require.Equal(t, want.kept, d.Kept)
		require.Equal(t, sum(d.Gone, d.Kept), d.Was)
		require.Equal(t, sum(d.New, d.Kept), d.Is)
		var groups struct{ was, is, new, gone inspect.Amount }
		for _, g := range d.Groups {
			groups.new, groups.gone = sum(groups.new, g.New), sum(groups.gone, g.Gone)
			require.Equal(t, sum(g.Gone, g.Kept), g.Was)
			require.Equal(t, sum(g.New, g.Kept), g.Is)
			if g.New.Blocks > 0 {
				e, live := is[uint64(g.Example)]
				require.True(t, live, "the example is live")
				require.NotEqual(t, was[uint64(g.Example)].number, e.number, "and new")
			}
		}
		require.Equal(t, d.New, groups.new)
		require.Equal(t, d.Gone, groups.gone)

		same, err := inspect.Diff(t.Context(), before, before, inspect.DiffOptions{})
		require.NoError(t, err)
		require.Empty(t, same.Groups)
		require.Empty(t, same.Bins)
		require.Zero(t, sum(same.New, same.Gone))
		back, err := inspect.Diff(t.Context(), after, before, inspect.DiffOptions{})
		require.NoError(t, err)
		require.Equal(t, []inspect.Amount{d.Gone, d.New}, []inspect.Amount{back.New, back.Gone})
		require.Contains(t, back.Notes[0], "older")
	}
}

// TestDiffWithoutRecords: blocks of a sealed heap are matched by address and size, and that is said.
func TestDiffWithoutRecords(t *testing.T) {
	l := &ledger{heap: newHeap(t, allocator.Options{ReserveBytes: 64 << 20}), live: map[uint64]entry{}}
	for range 50 {
		l.alloc(t, 100)
	}
	before := opened(t, image(t, l.heap))
	for range 30 {
		l.alloc(t, 200)
	}
	gone := 0
	for address, e := range l.state() {
		if len(e.block) == 100 && gone < 10 {
			l.free(t, address)
			gone++
		}
	}
	d, err := inspect.Diff(t.Context(), before, opened(t, image(t, l.heap)), inspect.DiffOptions{})
	require.NoError(t, err)
	require.Equal(t, []inspect.Amount{{Blocks: 30, Bytes: 6000}, {Blocks: 10, Bytes: 1000}, {Blocks: 40, Bytes: 4000}}, []inspect.Amount{d.New, d.Gone, d.Kept})
	require.Contains(t, d.Notes[0], "of 40 blocks no allocation is recorded")
	require.Len(t, d.Bins, 2)
	require.Equal(t, []uint64{50, 40, 0, 30}, []uint64{d.Bins[0].Was.Blocks, d.Bins[0].Is.Blocks, d.Bins[1].Was.Blocks, d.Bins[1].Is.Blocks})
	require.Len(t, d.Groups, 1)
	require.Equal(t, "allocated while the heap was not audited", d.Groups[0].Unrecorded)
}

// TestDiffOfTwoHeaps: blocks are counted by stack and by size, and nothing is said to be new.
func TestDiffOfTwoHeaps(t *testing.T) {
	fill := func(n int) target.Target {
		h := newHeap(t, allocator.Options{Name: fmt.Sprint(n), Mode: allocator.ModeAudit})
		for range n {
			alloc(t, h, 48)
		}
		for range 5 {
			alloc(t, h, 64)
		}
		return fileOf(t, image(t, h))
	}
	self, err := os.Executable()
	require.NoError(t, err)
	few, many := fill(10), fill(70)
	d, err := inspect.Diff(t.Context(), openNamed(t, few, self), openNamed(t, many, self), inspect.DiffOptions{})
	require.NoError(t, err)
	require.False(t, d.SameHeap)
	require.Equal(t, "functions", d.Compared, "nothing tells that it is one build")
	require.Len(t, d.Groups, 1)
	g := d.Groups[0]
	require.Equal(t, []inspect.Amount{{Blocks: 10, Bytes: 480}, {Blocks: 70, Bytes: 3360}, {}, {}, {}}, []inspect.Amount{
		{Blocks: g.Was.Blocks - 5, Bytes: g.Was.Bytes - 320}, {Blocks: g.Is.Blocks - 5, Bytes: g.Is.Bytes - 320}, g.New, g.Gone, g.Kept})
	require.Contains(t, d.Notes[0], "these are two heaps")

	// Without names the stacks of the two are listed apart.
	d, err = inspect.Diff(t.Context(), openNamed(t, few, ""), openNamed(t, many, self), inspect.DiffOptions{})
	require.NoError(t, err)
	require.Equal(t, "nothing", d.Compared)
	for _, g := range d.Groups {
		require.True(t, g.Was.Blocks == 0 || g.Is.Blocks == 0)
	}
	require.Contains(t, d.Notes[1], "can't be compared")
	q, err := inspect.DiffColumns.Parse(query.Words{Where: `site contains "alloc"`})
	require.NoError(t, err)
	_, err = inspect.Diff(t.Context(), openNamed(t, few, ""), openNamed(t, many, self), inspect.DiffOptions{Query: q})
	require.ErrorAs(t, err, new(*inspect.NoFunctionsError))
}
