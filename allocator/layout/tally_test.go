package layout

import (
	"testing"

	"pgregory.net/rapid"
)

// TestTallyTellsItsHistory: from the one word and the inflow both totals follow, and no flipped bit of either passes.
func TestTallyTellsItsHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		allocs := rapid.Uint64Range(0, 1<<45).Draw(t, "allocs")
		count := rapid.Uint64Range(0, MagazineBlocks).Draw(t, "count")
		inflow := rapid.Int64Range(-1<<40, min(1<<40, int64(allocs+count))).Draw(t, "inflow")
		frees := allocs + count - uint64(inflow)
		tally := Tally(uint64(inflow)) // brought in by batches
		tally += Tally(allocs) * TallyAlloc
		tally += Tally(frees) * TallyFree
		gotAllocs, gotFrees, ok := tally.Totals(inflow)
		if !ok || gotAllocs != allocs || gotFrees != frees || uint64(tally.Count()) != count {
			t.Fatalf("tally %x, inflow %d: %d and %d, count %d, want %d and %d, %d", tally, inflow, gotAllocs, gotFrees, tally.Count(), allocs, frees, count)
		}
		for bit := range 64 {
			if _, _, ok := (tally ^ 1<<bit).Totals(inflow); ok {
				t.Fatalf("bit %d of tally %x flipped passes", bit, tally)
			}
			if _, _, ok := tally.Totals(inflow ^ 1<<bit); ok {
				t.Fatalf("bit %d of inflow %d flipped passes", bit, inflow)
			}
		}
	})
}
