package replay

import (
	"testing"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/mtrace"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is what a recording means, said as plainly as possible: one list that is searched from end to end.
type model struct {
	blocks []modelBlock
	counts Counts
}

type modelBlock struct{ address, size uint64 }

// remove drops the block at address.
func (m *model) remove(address uint64) bool {
	for i, b := range m.blocks {
		if b.address == address {
			m.blocks = append(append([]modelBlock{}, m.blocks[:i]...), m.blocks[i+1:]...)
			return true
		}
	}
	return false
}

func (m *model) put(address, size uint64) {
	if m.remove(address) {
		m.counts.LostFrees++
	}
	m.blocks = append(m.blocks, modelBlock{address, size})
}

func (m *model) see(e mtrace.Event) {
	switch {
	case e.Op == mtrace.FailedRealloc, e.Op == mtrace.Alloc && e.Address == 0:
		m.counts.FailedAllocs++
	case e.Op == mtrace.Alloc:
		m.counts.Allocs++
		m.put(e.Address, e.Size)
	case e.Op == mtrace.Realloc:
		m.counts.Reallocs++
		if !m.remove(e.Old) {
			m.counts.UnknownReallocs++
		}
		m.put(e.Address, e.Size)
	case e.Address != 0:
		m.counts.Frees++
		if !m.remove(e.Address) {
			m.counts.UnknownFrees++
		}
	}
	bytes := uint64(0)
	for _, b := range m.blocks {
		bytes += b.size
	}
	m.counts.LiveBlocks, m.counts.LiveBytes = uint64(len(m.blocks)), bytes
	m.counts.PeakLiveBlocks = max(m.counts.PeakLiveBlocks, m.counts.LiveBlocks)
	m.counts.PeakLiveBytes = max(m.counts.PeakLiveBytes, bytes)
}

// drawEvents makes a recording with few addresses, so that everything that can happen at an address does.
func drawEvents(t *rapid.T) []mtrace.Event {
	address := rapid.Custom(func(t *rapid.T) uint64 { return uint64(rapid.IntRange(0, 24).Draw(t, "slot")) * 0x10 })
	size := rapid.OneOf(rapid.Uint64Range(0, 40), rapid.Uint64Range(0, 3000), rapid.Uint64Range(30000, 200000))
	often := []mtrace.Op{mtrace.Alloc, mtrace.Alloc, mtrace.Alloc, mtrace.Free, mtrace.Free, mtrace.Realloc, mtrace.Realloc, mtrace.FailedRealloc}
	length := rapid.IntRange(1, 120).Draw(t, "length")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) mtrace.Event {
		op := rapid.SampledFrom(often).Draw(t, "op")
		e := mtrace.Event{Op: op, Address: address.Draw(t, "address")}
		if op == mtrace.Realloc {
			e.Address += 0x10
			e.Old = rapid.OneOf(address, rapid.Just(e.Address)).Draw(t, "old")
		}
		if op != mtrace.Free {
			e.Size = size.Draw(t, "size")
		}
		return e
	}), length, length).Draw(t, "events")
}

func TestAgainstModel(t *testing.T) {
	for _, mode := range []allocator.Mode{allocator.ModeSealed, allocator.ModePlain} {
		for _, goroutines := range []int{1, 4} {
			h := newHeap(t, mode)
			rapid.Check(t, func(t *rapid.T) {
				events := drawEvents(t)
				var m model
				for _, e := range events {
					m.see(e)
				}
				r, err := New(Options{Heap: h, Goroutines: goroutines, KeepLive: true, Repeat: rapid.IntRange(1, 2).Draw(t, "repeat")})
				require.NoError(t, err)
				r.roundEvents = uint64(rapid.IntRange(1, 40).Draw(t, "events of a round"))

				result, err := run(r, script(events))
				require.NoError(t, err)
				require.Equal(t, m.counts, result.Counts)
				require.Zero(t, result.MalformedLines)
				require.False(t, result.TornLastLine)

				require.Equal(t, len(m.blocks), r.Live())
				require.Equal(t, m.counts.LiveBlocks, h.Stats().LiveBlocks, "the heap holds what the recording holds")
				for _, b := range m.blocks {
					held := r.ledger.live[b.address].block
					require.NotNil(t, held)
					require.Equal(t, int(b.size), held.size)
					usable, err := h.UsableSize(held.at)
					require.NoError(t, err)
					if mode == allocator.ModeSealed {
						require.Equal(t, int(b.size), usable)
					}
					require.GreaterOrEqual(t, usable, int(b.size))
					require.Equal(t, -1, damagedAt(held.bytes(), held.number))
				}
				require.NoError(t, r.Release())
				require.Zero(t, h.Stats().LiveBlocks)
			})
		}
	}
}
