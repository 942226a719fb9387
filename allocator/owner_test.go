package allocator_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

//go:noinline
func makeOwner() *allocator.Owner { return allocator.NewOwner() }

//go:noinline
func allocFor(h *allocator.Heap, o *allocator.Owner, n int) ([]byte, error) { return h.AllocFor(o, n) }

// firstCall is the user's innermost call.
func firstCall(o *allocator.Operation) string {
	if o == nil || len(o.Frames()) == 0 {
		return ""
	}
	return o.Frames()[0].Function
}

const makesOwner = "github.com/glassheap/glassheap/allocator_test.makeOwner"

func TestAnOwnerKnowsWhoMadeIt(t *testing.T) {
	require.Equal(t, makesOwner, firstCall(makeOwner().Operation()))
	require.NotZero(t, makeOwner().Operation().Goroutine)
}

// TestBlocksOfAnOwnerAreOneGroup, whatever kind they are of and whoever asked for them; those of others are not in it.
func TestBlocksOfAnOwnerAreOneGroup(t *testing.T) {
	owner := makeOwner()
	for name, o := range map[string]allocator.Options{
		"audit":   {Mode: allocator.ModeAudit},
		"guarded": {Mode: allocator.ModeAudit, GuardRate: 1},
		"profile": {Mode: allocator.ModeSealed, ProfileRate: 1},
		"shallow": {Mode: allocator.ModeAudit, StackDepth: 3},
	} {
		t.Run(name, func(t *testing.T) {
			o.ReserveBytes = 64 << 20
			h, err := allocator.New(o)
			require.NoError(t, err)
			var blocks [][]byte
			bytes := 0
			for _, n := range []int{1, 50, 4000, 20_000, 100_000, 3 << 20} {
				b, err := allocFor(h, owner, n)
				require.NoError(t, err)
				require.Len(t, b, n)
				blocks, bytes = append(blocks, b), bytes+n
			}
			other, err := allocFor(h, nil, 77)
			require.NoError(t, err)

			leaks := h.Leaks()
			require.Len(t, leaks, 2)
			require.EqualValues(t, len(blocks), leaks[0].Blocks)
			require.EqualValues(t, bytes, leaks[0].Bytes)
			require.Equal(t, makesOwner, firstCall(leaks[0].Allocated))
			if o.StackDepth > 0 {
				require.Len(t, leaks[0].Allocated.Stack, o.StackDepth)
			}
			require.Equal(t, owner.Operation().Goroutine, leaks[0].Allocated.Goroutine)
			require.EqualValues(t, 77, leaks[1].Bytes)
			if o.StackDepth == 0 { // so few frames may be the allocator's own
				require.Equal(t, "github.com/glassheap/glassheap/allocator_test.allocFor", firstCall(leaks[1].Allocated))
			}
			for _, b := range append(blocks, other) {
				require.NoError(t, h.Free(b))
			}
			require.NoError(t, h.Close())
		})
	}
}

// TestAnOwnerNeedsNoAudit: an owner that was made before anybody recorded anything is known afterwards; where nothing is recorded,
// nothing is.
func TestAnOwnerNeedsNoAudit(t *testing.T) {
	for _, mode := range []allocator.Mode{allocator.ModePlain, allocator.ModeSealed} {
		h, err := allocator.New(allocator.Options{Mode: mode, ReserveBytes: 64 << 20})
		require.NoError(t, err)
		owner := makeOwner()
		var blocks [][]byte
		for _, n := range []int{50, 100_000} {
			b, err := allocFor(h, owner, n)
			require.NoError(t, err)
			blocks = append(blocks, b)
		}
		if mode == allocator.ModeSealed {
			require.NoError(t, h.SetMode(allocator.ModeAudit))
			b, err := allocFor(h, owner, 200_000)
			require.NoError(t, err)
			leaks := h.Leaks()
			require.Len(t, leaks, 2)
			require.EqualValues(t, 200_000, leaks[0].Bytes)
			require.Equal(t, makesOwner, firstCall(leaks[0].Allocated))
			require.Nil(t, leaks[1].Allocated)
			blocks = append(blocks, b)
		}
		for _, b := range blocks {
			require.NoError(t, h.Free(b))
		}
		require.NoError(t, h.Close())
	}
}

func TestAllocForOfNothing(t *testing.T) {
	h, err := allocator.New(allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20})
	require.NoError(t, err)
	b, err := h.AllocFor(makeOwner(), 0)
	require.NoError(t, err)
	require.Empty(t, b)
	_, err = h.AllocFor(makeOwner(), -1)
	require.ErrorAs(t, err, new(*allocator.SizeError))
	require.NoError(t, h.Close())
	require.LessOrEqual(t, len(makeOwner().Operation().Stack), layout.MaxStackDepth)
}

func BenchmarkOwner(b *testing.B) {
	b.Run("NewOwner", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			makeOwner()
		}
	})
	owner := makeOwner()
	for _, mode := range []allocator.Mode{allocator.ModeSealed, allocator.ModeAudit} {
		h, err := allocator.New(allocator.Options{Mode: mode, ReserveBytes: 64 << 20})
		require.NoError(b, err)
		for _, o := range []*allocator.Owner{nil, owner} {
			b.Run(fmt.Sprintf("AllocFor/%v/%v", mode, o != nil), func(b *testing.B) {
				for b.Loop() {
					block, _ := h.AllocFor(o, 64)
					_ = h.Free(block)
				}
			})
		}
		require.NoError(b, h.Close())
	}
}
