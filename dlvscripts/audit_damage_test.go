package dlvscripts

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
	"github.com/glassheap/glassheap/internal/debugging"
)

// TestDamageInAuditMode: what only audit mode notices, and its own structs. Both sides name the same.
func TestDamageInAuditMode(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "audited")
	door, h := s.look("audited")
	find := func(place inspect.Place, nth int) *inspect.Block {
		for b := range everyBlock(t, h) {
			if b.Place != place || b.Allocated == nil {
				continue
			}
			if nth--; nth < 0 {
				return b
			}
		}
		require.Fail(t, "no block is "+place.String())
		return nil
	}
	n := 0
	damaged := func(what string, address uint64, wanted string) {
		if n++; !debugging.Share(n, 7) {
			return
		}
		s.whileFlipped(door, address, func() {
			expected, err := inspect.Check(context.Background(), door, inspect.CheckOptions{})
			require.NoError(t, err)
			text, err := json.Marshal(expected.Findings)
			require.NoError(t, err)
			require.Contains(t, string(text), wanted, "%s: inspect notices", what)
			found := s.AskJSON("gh_check")
			there := asMap(t, expected)
			for _, kind := range []string{"findings", "unsettled"} {
				same(t, what+": "+kind, found[kind], there[kind])
			}
			if len(expected.Findings) < 20 {
				now, err := inspect.Open(context.Background(), door)
				require.NoError(t, err)
				structs, err := now.Structs(context.Background(), inspect.StructsOptions{})
				require.NoError(t, err)
				same(t, what+": structs", s.AskJSON("gh_structs"), asMap(t, withoutStacks(structs)))
			}
		})
	}
	held, cached, live := find(inspect.PlaceQuarantined, 5), find(inspect.PlaceCached, 5), find(inspect.PlaceLive, 5)
	damaged("a held block is written to", uint64(held.Address)+3, "write-after-free")
	damaged("a held block's seal", uint64(held.Address)+uint64(held.Size)+2, "write-after-free")
	damaged("a free block is written to", uint64(cached.Address)+uint64(cached.Size)-1, "write-after-free")
	damaged("a live block's seal", uint64(live.Address)+uint64(live.Size)+2, "overflow")
	damaged("a block that is no more", uint64(live.Address)+uint64(live.Size), "")

	id := h.Identity()
	journalAt := func(field string) uint64 { return uint64(id.Journals) + offset(t, "Journal", field) }
	for field, wanted := range map[string]string{
		"ID": "Journal 0", "Ready": "JournalsReady", "QuarantineIn": "QuarantineBytes", "QuarantineOut": "QuarantineBytes", "QuarantineBytes": "QuarantineBytes",
	} {
		damaged("Journal."+field, journalAt(field), wanted)
	}
	oldest := wordAt(t, door, journalAt("QuarantineOut")) % layout.QuarantineBlocks
	newest := (wordAt(t, door, journalAt("QuarantineIn")) - 1) % layout.QuarantineBlocks
	damaged("the block that was freed last", wordAt(t, door, journalAt("Quarantine")+8*newest)+1, "write-after-free")
	damaged("the block that is held back longest", wordAt(t, door, journalAt("Quarantine")+8*oldest)+1, "write-after-free")
	damaged("the head of the quarantine", journalAt("Quarantine")+8*oldest, fmt.Sprintf("Quarantine[%d]", oldest))
	damaged("the head of the quarantine, far away", journalAt("Quarantine")+8*oldest+5, "the address of a block")
	damaged("QuarantineIn is far away", journalAt("QuarantineIn")+5, "what the ring holds")

	for _, field := range []string{"Lock", "Used", "Count"} {
		damaged("StackTable."+field, uint64(id.Stacks)+offset(t, "StackTable", field), "StackTable")
	}
	first := uint64(id.Stacks) + layout.StackTableBytes
	for _, field := range []string{"Hash", "Next", "Depth"} {
		damaged("Stack."+field, first+offset(t, "Stack", field), "Stack")
	}
	damaged("an address of a stack", first+layout.StackHeadBytes, "Stack")
	for bucket := range uint64(layout.StackBuckets) {
		at := uint64(id.Stacks) + offset(t, "StackTable", "Buckets") + 4*bucket
		if wordAt(t, door, at)<<32 != 0 {
			damaged("a bucket", at, fmt.Sprintf("Buckets[%d]", bucket))
			break
		}
	}
	for _, field := range []string{"Slab", "Bin", "Count"} {
		damaged("Records."+field, id.Records+offset(t, "Records", field), "records at")
	}
	recordOf := func(b *inspect.Block) uint64 {
		dump, err := h.Dump(fmt.Sprintf("slab %d", b.Slab))
		require.NoError(t, err)
		return wordAt(t, door, uint64(dump.Address)+offset(t, "Slab", "Records")) + layout.RecordsBytes + uint64(b.Index)*layout.RecordBytes
	}
	damaged("the id of a stack is out of range", recordOf(live)+offset(t, "Record", "AllocStack")+2, "AllocStack")
	damaged("the id of the stack that freed", recordOf(held)+offset(t, "Record", "FreeStack")+2, "FreeStack")
	for _, field := range []string{"Mode", "JournalsReady", "RecordsTop", "SpanQuarantine", "SpanQuarantineLast", "SpansQuarantined", "QuarantinedPages"} {
		damaged("Header."+field, uint64(id.Base)+offset(t, "Header", field), field)
	}
	dump, err := h.Dump(fmt.Sprintf("slab %d", live.Slab))
	require.NoError(t, err)
	damaged("Slab.Records", uint64(dump.Address)+offset(t, "Slab", "Records"), "Records")
	r, err := h.Structs(context.Background(), inspect.StructsOptions{Type: "Span"})
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, j := range r.Structs {
		if seen[len(j.Verdicts)] { // live ones, held ones, retired ones
			continue
		}
		seen[len(j.Verdicts)] = true
		for _, field := range []string{"State", "Recorded", "Record", "Next", "Pages"} {
			damaged(j.Name+"."+field, uint64(j.Address)+offset(t, "Span", field), "")
		}
		damaged(j.Name+".AllocStack", uint64(j.Address)+offset(t, "Span", "Record")+offset(t, "Record", "AllocStack")+2, "")
		damaged(j.Name+".FreeStack", uint64(j.Address)+offset(t, "Span", "Record")+offset(t, "Record", "FreeStack")+2, "")
	}
	require.Contains(t, s.Ask("gh_check"), "healthy.")
}

// wordAt is a word of the heap.
func wordAt(t *testing.T, door target.Target, address uint64) uint64 {
	var raw [8]byte
	_, err := door.ReadAt(raw[:], int64(address-door.Base()))
	require.NoError(t, err)
	return binary.LittleEndian.Uint64(raw[:])
}

// offset is where a field lies in its struct.
func offset(t *testing.T, kind, field string) uint64 {
	s, ok := layout.CurrentSchema().Struct(kind)
	require.True(t, ok)
	for _, f := range s.Fields {
		if f.Name == field {
			return f.Offset
		}
	}
	require.Fail(t, "no field "+kind+"."+field)
	return 0
}

// TestNothingEndsACommandInAuditMode asks every question of a heap whose figures lead far away.
func TestNothingEndsACommandInAuditMode(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "audited")
	door, h := s.look("audited")
	id := h.Identity()
	dump, err := h.Dump("slab 12")
	require.NoError(t, err)
	log := uint64(id.Journals) + offset(t, "Journal", "Log")
	n := 0
	for what, address := range map[string]uint64{
		"JournalsReady": id.Base + offset(t, "Header", "JournalsReady") + 1, "RecordsTop": id.Base + offset(t, "Header", "RecordsTop") + 5,
		"SpanQuarantine": id.Base + offset(t, "Header", "SpanQuarantine") + 3, "QuarantineOut": uint64(id.Journals) + offset(t, "Journal", "QuarantineOut") + 7,
		"Events": uint64(id.Journals) + offset(t, "Journal", "Events") + 6, "Used": uint64(id.Stacks) + offset(t, "StackTable", "Used") + 2,
		"Depth": uint64(id.Stacks) + layout.StackTableBytes + offset(t, "Stack", "Depth") + 3, "an address": uint64(id.Stacks) + layout.StackTableBytes + layout.StackHeadBytes + 7,
		"Records": uint64(dump.Address) + offset(t, "Slab", "Records") + 4, "an event's stack": log + offset(t, "Event", "Stack") + 3, "an event's kind": log + offset(t, "Event", "Kind"),
	} {
		n++
		s.whileFlipped(door, address, func() {
			for i, command := range []string{"gh_structs --wrong", "gh_bins", "gh_slabs 34", "gh_blocks 12", "gh_slab 12", "gh_whatis block", "gh_map", "gh_log --all", "gh_history block"} {
				if !debugging.Share(n+i, 3) {
					continue
				}
				answer := s.Ask(command)
				require.NotRegexp(t, `(?m)^(Command failed|Error|Traceback|glassheap\.star)|\.star:\d+`, answer, "%s: %s", what, command)
				require.NotEmpty(t, answer)
			}
		})
	}
	require.Contains(t, s.Ask("gh_check"), "healthy.")
}
