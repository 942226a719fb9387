package dlvscripts

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/internal/debugging"
)

// TestTheSameAnswersInAuditMode asks everything that both sides know of healthy heaps in audit mode.
func TestTheSameAnswersInAuditMode(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "audited", "switched", "crowd")
	for i, heap := range []string{"audited", "switched", "crowd"} {
		if i > 0 {
			s.Ask("continue")
		}
		t.Run(heap, func(t *testing.T) {
			door, h := s.look(heap)
			checked, err := inspect.Check(context.Background(), door, inspect.CheckOptions{})
			require.NoError(t, err)
			require.Empty(t, checked.Findings, "the scene is a healthy heap")
			same(t, "gh_check", s.answer("gh_check", heap), asMap(t, checked))
			structs, err := h.Structs(context.Background(), inspect.StructsOptions{})
			require.NoError(t, err)
			same(t, "gh_structs", s.answer("gh_structs", heap), asMap(t, withoutStacks(structs)))
			slabs, err := h.Slabs(-1)
			require.NoError(t, err)
			for n, row := range slabs.Slabs {
				if !debugging.Share(n, 5) {
					continue
				}
				for _, q := range questions(uint64(row.Slab), row.Base.String()) {
					ofNoSlab := q.command == "gh_bins" || q.command == "gh_slabs" || q.command == "gh_math"
					if q.textOnly || q.command == "gh_structs" || n > 0 && ofNoSlab {
						continue
					}
					expected, err := q.answer(h)
					require.NoError(t, err)
					same(t, q.command, s.answer(q.command, heap), asMap(t, expected))
				}
			}
		})
	}
}

// answer is what a command answers about a heap, as data.
func (s *session) answer(command, heap string) (value map[string]any) {
	answer := s.Ask(command + " --json heap=" + heap)
	require.NoError(s.T, json.Unmarshal([]byte(answer), &value), "%s: %s", command, answer)
	return value
}

// withoutStacks leaves out the stacks that are as they should be, of which the scripts only say how many they are.
func withoutStacks(r *inspect.StructsReport) *inspect.StructsReport {
	var kept []inspect.Judgement
	for _, j := range r.Structs {
		if j.Type == "Stack" && j.Wrong() == 0 {
			r.Left++
			continue
		}
		kept = append(kept, j)
	}
	r.Structs = kept
	return r
}

// TestEveryAuditedAddressHasTheSameAnswer asks what is at an address of every kind that only audited heaps have.
func TestEveryAuditedAddressHasTheSameAnswer(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "audited")
	_, h := s.look("audited")
	id := h.Identity()
	addresses := []uint64{
		uint64(id.Stacks), uint64(id.Stacks) + 100, uint64(id.Stacks) + layout.StackTableBytes, uint64(id.Stacks) + layout.StackTableBytes + layout.StackHeadBytes + 9,
		uint64(id.Journals), uint64(id.Journals) + 24, uint64(id.Journals) + 72, uint64(id.Journals) + layout.JournalBytes - 1, uint64(id.Journals) + layout.JournalBytes,
		id.Records, id.Records + 9, id.Records + layout.RecordsBytes, id.Records + layout.RecordsBytes + 10*layout.RecordBytes + 41, id.RecordsEnd - 1, id.RecordsEnd,
	}
	r, err := h.Structs(context.Background(), inspect.StructsOptions{})
	require.NoError(t, err)
	for _, j := range r.Structs {
		if j.Type == "Records" || j.Type == "Span" {
			addresses = append(addresses, uint64(j.Address), uint64(j.Address)+layout.RecordsBytes+3, uint64(j.Address)+70)
		}
		if j.Type == "Span" && len(j.Verdicts) > 1 {
			var page uint64
			_, err := fmt.Sscanf(j.Name, "Span %d", &page)
			require.NoError(t, err)
			at := id.Data + page*layout.PageBytes
			addresses = append(addresses, at, at+9, at+13*layout.PageBytes)
		}
	}
	for n, address := range addresses {
		if !debugging.Share(n, 5) {
			continue
		}
		at := inspect.Address(address).String()
		expected, err := h.Whatis(address)
		require.NoError(t, err)
		same(t, at, s.AskJSON("gh_whatis "+at), asMap(t, expected))
	}
}
