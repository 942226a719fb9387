package inspect_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// rooted is a heap's memory with the words that refer to it.
type rooted struct {
	target.Target
	words []uint64
}

func (rooted) MissingRoots() uint64 { return 0 }

// Roots hands the words out a few at a time.
func (r rooted) Roots(_ context.Context, visit func(piece []byte)) (int64, error) {
	for start := 0; start < len(r.words); start += 3 {
		var piece []byte
		for _, w := range r.words[start:min(start+3, len(r.words))] {
			piece = binary.LittleEndian.AppendUint64(piece, w)
		}
		visit(piece)
	}
	return int64(8 * len(r.words)), nil
}

// graph is blocks that refer to each other.
type graph struct {
	address []uint64
	bytes   []uint64
	next    [][]int
}

// randomly leads from blocks to others at random.
func randomly(r *rand.Rand, blocks int, edges float64) [][]int {
	next := make([][]int, blocks)
	for i := range next {
		for float64(len(next[i])) < edges*r.ExpFloat64() {
			next[i] = append(next[i], r.IntN(blocks))
		}
	}
	return next
}

// inCircles leads from blocks to others in circles, of which some lead to others.
func inCircles(r *rand.Rand, blocks int) [][]int {
	next := make([][]int, blocks)
	order := r.Perm(blocks)
	for start := 0; start < blocks; {
		circle := order[start:min(start+1+r.IntN(4), blocks)]
		for k, i := range circle {
			next[i] = append(next[i], circle[(k+1)%len(circle)])
		}
		if start > 0 && r.IntN(3) > 0 {
			next[circle[0]] = append(next[circle[0]], order[r.IntN(start)])
		}
		start += len(circle)
	}
	return next
}

// newGraph allocates blocks of all kinds that refer to each other.
func newGraph(t *testing.T, h *allocator.Heap, r *rand.Rand, next [][]int) graph {
	blocks := len(next)
	g := graph{make([]uint64, blocks), make([]uint64, blocks), next}
	base, _ := h.Range()
	memory := make([]unsafe.Pointer, blocks)
	for i := range blocks {
		n := 8 * (len(next[i]) + 1 + r.IntN(60))
		if r.IntN(40) == 0 {
			n = 40_000 + r.IntN(100_000)
		}
		p, err := h.Calloc(1, n)
		require.NoError(t, err)
		memory[i], g.address[i], g.bytes[i] = p, uint64(uintptr(p)), uint64(n)
	}
	for i := range blocks {
		words := unsafe.Slice((*uint64)(memory[i]), g.bytes[i]/8)
		for k, at := range r.Perm(len(words)) {
			if k < len(next[i]) {
				to := next[i][k]
				words[at] = g.address[to] + r.Uint64N(g.bytes[to])
				continue
			}
			// What looks like a reference and is none: one past the end, the heap's own structs, the other half of a word.
			pastTheEnd := uint64(0)
			if h.Mode() != allocator.ModePlain { // where it is the next block's start
				other := r.IntN(blocks)
				pastTheEnd = g.address[other] + g.bytes[other]
			}
			words[at] = []uint64{0, pastTheEnd, base + 64, g.address[0] << 32, ^uint64(0)}[r.IntN(5)]
		}
	}
	return g
}

// from is what some blocks lead to, with themselves.
func (g *graph) from(starts []int, within func(int) bool) map[int]bool {
	found := map[int]bool{}
	for len(starts) > 0 {
		i := starts[len(starts)-1]
		starts = starts[:len(starts)-1]
		if !found[i] && within(i) {
			found[i] = true
			starts = append(starts, g.next[i]...)
		}
	}
	return found
}

// TestUnreachableIsWhatAModelSays, with heads from which all of the rest can be reached and of which none leads to another.
func TestUnreachableIsWhatAModelSays(t *testing.T) {
	for seed := range uint64(36) {
		r := rand.New(rand.NewPCG(seed, 7))
		options := allocator.Options{ReserveBytes: 32 << 20, Mode: []allocator.Mode{allocator.ModeAudit, allocator.ModeSealed, allocator.ModePlain}[seed%3]}
		if seed%4 == 0 {
			options.GuardRate = 2
		}
		h := newHeap(t, options)
		blocks := 1 + r.IntN(200)
		next := randomly(r, blocks, []float64{0.3, 0.8, 1.5}[seed/2%3])
		if seed%2 == 0 {
			next = inCircles(r, blocks)
		}
		g := newGraph(t, h, r, next)
		var starts []int
		var words []uint64
		for range r.IntN(4) {
			to := r.IntN(blocks)
			starts = append(starts, to)
			words = append(words, g.address[to]+r.Uint64N(g.bytes[to]), r.Uint64())
		}
		all := func(int) bool { return true }
		reachable := g.from(starts, all)
		unreachable := func(i int) bool { return !reachable[i] }
		heads := map[int]bool{} // one of each circle, and of what is in none, that nothing else leads to
		lost, bytes := uint64(0), uint64(0)
		leadsTo := make([]map[int]bool, blocks)
		for i := range blocks {
			leadsTo[i] = g.from([]int{i}, unreachable)
		}
		for i := range blocks {
			if !unreachable(i) {
				continue
			}
			lost++
			bytes += g.bytes[i]
			first := true
			for j := range blocks {
				if unreachable(j) && leadsTo[j][i] && (!leadsTo[i][j] || j < i) {
					first = false
				}
			}
			if first {
				heads[i] = true
			}
		}

		report, err := inspect.Unreachable(t.Context(), rooted{target.FromBytes(image(t, h)), words}, nil, inspect.LeakOptions{})
		require.NoError(t, err)
		if options.Mode != allocator.ModePlain { // there sizes are those of the bins
			require.Equal(t, bytes, report.Bytes, "seed %d", seed)
		}
		require.Equal(t, lost, report.Blocks, "seed %d", seed)
		require.EqualValues(t, blocks, report.Live)
		found := uint64(0)
		for _, group := range report.Groups {
			found += group.Blocks
		}
		require.EqualValues(t, len(heads), found, "seed %d", seed)
		h.Close() // the blocks are leaks, and meant to be
	}
}

// stubborn is a rooted heap of a process whose memory takes longer to read than it may be held.
type stubborn struct {
	rooted
	resumed chan struct{}
	once    sync.Once
	began   time.Time
	stood   time.Duration
}

func (s *stubborn) Stop(context.Context) (target.Stopped, error) {
	s.began = time.Now()
	return s, nil
}

func (s *stubborn) Resume() error {
	s.once.Do(func() {
		s.stood = time.Since(s.began)
		close(s.resumed)
	})
	return nil
}

func (s *stubborn) Stood() time.Duration { return s.stood }

func (s *stubborn) Roots(ctx context.Context, visit func(piece []byte)) (int64, error) {
	<-s.resumed // by nobody but the limit: whoever searches is here
	return s.rooted.Roots(ctx, visit)
}

// TestNobodyIsHeldForLong: the process goes on after two seconds, and the answer says that it did.
func TestNobodyIsHeldForLong(t *testing.T) {
	t.Parallel()
	h := newHeap(t, allocator.Options{ReserveBytes: 32 << 20})
	_, err := h.Alloc(100)
	require.NoError(t, err)
	s := &stubborn{rooted: rooted{target.FromBytes(image(t, h)), nil}, resumed: make(chan struct{})}
	r, err := inspect.Unreachable(t.Context(), s, nil, inspect.LeakOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 1, r.Blocks)
	require.GreaterOrEqual(t, r.Stopped, 2*time.Second)
	require.Contains(t, r.Notes[0], "the process was let go on after 2s")
}
