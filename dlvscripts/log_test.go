package dlvscripts

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/internal/debugging"
)

// TestTheSameLog: both sides tell the same of the last operations, whichever are asked for. The scenes: the ring of one P that
// came round, several Ps, a heap that was audited only from some time on, one that never was.
func TestTheSameLog(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "audited", "crowd", "switched", "several")
	for i, heap := range []string{"audited", "crowd", "switched", "users"} {
		if i > 0 {
			s.Ask("continue")
		}
		t.Run(heap, func(t *testing.T) {
			_, h := s.look(heap)
			all, err := h.Log(inspect.LogOptions{})
			require.NoError(t, err)
			if i < 2 {
				require.Greater(t, all.Ever, uint64(layout.LogEvents), "the scene fills the ring")
			}
			at := inspect.Address(0)
			if len(all.Events) > 0 {
				at = all.Events[0].Address + 1
			}
			for _, q := range []struct {
				words string
				flags inspect.LogWords
				last  int
			}{
				{"", inspect.LogWords{Size: -1}, 20}, {" --last 0", inspect.LogWords{Size: -1}, 0}, {" --last 3", inspect.LogWords{Size: -1}, 3},
				{" --kind free", inspect.LogWords{Size: -1, Kind: "free"}, 20}, {" --size 13", inspect.LogWords{Size: 13}, 20},
				{fmt.Sprintf(" %s --last 0", at), inspect.LogWords{Size: -1, Address: uint64(at)}, 0},
			} {
				wanted, err := inspect.LogColumns.Parse(query.Words{And: q.flags.Conditions()})
				require.NoError(t, err)
				expected, err := h.Log(inspect.LogOptions{Query: wanted, Last: q.last})
				require.NoError(t, err)
				same(t, "gh_log"+q.words, s.answer("gh_log"+q.words, heap), asMap(t, expected))
			}
			if i < 2 {
				require.Contains(t, s.answer("gh_log --function main.serve", heap)["events"].([]any)[0].(map[string]any), "kind")
				require.Empty(t, s.answer("gh_log --function main.nobody", heap)["events"])
			}
		})
	}
}

// TestTheSameHistory asks what is known of blocks in every place, of spans, and of addresses where nothing is.
func TestTheSameHistory(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "audited", "guarded")
	for i, heap := range []string{"audited", "guarded"} {
		if i > 0 {
			s.Ask("continue")
		}
		t.Run(heap, func(t *testing.T) {
			_, h := s.look(heap)
			log, err := h.Log(inspect.LogOptions{Last: 10})
			require.NoError(t, err)
			var addresses []inspect.Address
			for _, e := range log.Events {
				addresses = append(addresses, e.Address, e.Address+3)
			}
			places := map[inspect.Place]int{}
			for b := range everyBlock(t, h) {
				if places[b.Place]++; places[b.Place] <= 3 {
					addresses = append(addresses, b.Address)
				}
			}
			require.Greater(t, len(places), 2)
			addresses = append(addresses, 16, inspect.Address(h.Identity().Base))
			for i, at := range addresses {
				if !debugging.Share(i, 3) {
					continue
				}
				expected, err := h.History(uint64(at))
				require.NoError(t, err)
				same(t, at.String(), s.answer("gh_history "+at.String(), heap), asMap(t, expected))
			}
		})
	}
}

// TestTheSameLeaks: the live blocks, by who allocated them, with every reason for not knowing it.
func TestTheSameLeaks(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "audited", "switched", "guarded", "sampled", "shop", "several")
	for i, heap := range []string{"audited", "switched", "guarded", "sampled", "orders", "sessions"} {
		if i > 0 {
			s.Ask("continue")
		}
		t.Run(heap, func(t *testing.T) {
			_, h := s.look(heap)
			for words, top := range map[string]int{"": 10, " --top 0": 0, " --top 1": 1} {
				expected, err := h.Leaks(context.Background(), inspect.LeakOptions{Top: top})
				require.NoError(t, err)
				require.NotEmpty(t, expected.Groups)
				same(t, "gh_leaks"+words, s.answer("gh_leaks"+words, heap), asMap(t, expected))
			}
		})
	}
}

// TestStacksHaveNames: the program's own functions are named, not the allocator's.
func TestStacksHaveNames(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "stale")
	history := s.Ask("gh_history block")
	require.Regexp(t, `(?s)3 bytes written at \+4 of a block after it was freed.*free .*main\.goodbye +main\.go:\d+.*alloc .*main\.serve +main\.go:\d+`, history)
	require.NotContains(t, history, "allocator.", "the allocator's own frames are left out")
	require.Regexp(t, `free +8 bytes +0x[0-9a-f]+ +goroutine 1 +main\.\w+ main\.go:\d+`, s.Ask("gh_log"))
}

// TestASealedHeapHasNoLog, and says so.
func TestASealedHeapHasNoLog(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "overrun")
	require.Contains(t, s.Ask("gh_log"), "operations are not logged")
	require.Contains(t, s.Ask("gh_history block"), "operations are not logged")
	require.Empty(t, s.AskJSON("gh_log")["events"])
}
