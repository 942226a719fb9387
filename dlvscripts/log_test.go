package dlvscripts

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestTheLog: every event of the journals, the newest first, as they lie in the heap's memory.
func TestTheLog(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "audited", "stale")
	door, h := s.look("audited")
	expected := loggedEvents(t, door, h)
	require.Greater(t, len(expected), layout.LogEvents-1, "the ring came round")
	check := func(command string, keep func(layout.Event) bool) {
		answer := s.AskJSON(command)
		require.Contains(t, answer, "heap")
		events := answer["events"].([]any)
		var wanted []layout.Event
		for _, e := range expected {
			if keep(e) {
				wanted = append(wanted, e)
			}
		}
		require.NotEmpty(t, wanted)
		require.Len(t, events, len(wanted), command)
		for i, e := range wanted {
			event := events[i].(map[string]any)
			require.Equal(t, float64(e.Sequence), event["sequence"], command)
			require.Equal(t, e.Kind.String(), event["kind"])
			require.Equal(t, inspect.Address(e.Address).String(), event["address"])
			require.Equal(t, float64(e.Size), event["size"])
			require.Equal(t, float64(e.Goroutine), event["goroutine"])
			require.Equal(t, float64(e.Stack), event["stack"])
			require.Greater(t, len(event["addresses"].([]any)), 3)
		}
	}
	check("gh_log", func(layout.Event) bool { return true })
	at := expected[0].Address
	stride := uint64(24)
	own := func(e layout.Event) bool { return e.Address >= at && e.Address < at+stride }
	check("gh_log "+inspect.Address(at).String(), own)
	check("gh_log "+inspect.Address(at+stride-1).String(), own)
	check("gh_history "+inspect.Address(at+3).String(), own)

	// The log does not hold the oldest operations any more. The records still do.
	met := 0
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	blocks, err := h.Blocks(uint64(slabs.Slabs[0].Slab))
	require.NoError(t, err)
	for _, b := range blocks.Blocks {
		if b.Allocated == nil || b.Allocated.Sequence >= expected[len(expected)-1].Sequence {
			continue
		}
		events := s.AskJSON("gh_history " + b.Address.String())["events"].([]any)
		last := events[len(events)-1].(map[string]any)
		require.Equal(t, "alloc", last["kind"])
		require.Equal(t, float64(b.Allocated.Sequence), last["sequence"])
		require.Equal(t, b.Address.String(), last["address"])
		if met++; met == 5 {
			break
		}
	}
	require.Equal(t, 5, met, "there are such blocks")

	s.Ask("continue")
	history := s.Ask("gh_history block")
	require.Regexp(t, `(?s)3 bytes written at \+4 of a block after it was freed.*free of 8 bytes.*main\.goodbye +main\.go:\d+.*alloc of 8 bytes.*main\.serve +main\.go:\d+`, history)
	require.NotContains(t, history, "allocator.", "the allocator's own frames are left out")
}

// TestTheLogOfSeveralPs: their events are put in one row.
func TestTheLogOfSeveralPs(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "crowd")
	door, h := s.look("crowd")
	expected := loggedEvents(t, door, h)
	require.Greater(t, len(expected), layout.LogEvents, "several Ps were at work")
	events := s.AskJSON("gh_log")["events"].([]any)
	require.Len(t, events, len(expected))
	for i, e := range expected {
		require.Equal(t, float64(e.Sequence), events[i].(map[string]any)["sequence"])
		require.Equal(t, float64(e.Goroutine), events[i].(map[string]any)["goroutine"])
	}
}

// loggedEvents are those of all journals, the newest first.
func loggedEvents(t *testing.T, door target.Target, h *inspect.Heap) (events []layout.Event) {
	var j layout.Journal
	at := int64(uint64(h.Identity().Journals) - door.Base())
	for {
		_, err := door.ReadAt(layout.Bytes(&j), at)
		require.NoError(t, err)
		if j.Ready == 0 {
			break
		}
		for i := range min(j.Events, layout.LogEvents) {
			events = append(events, j.Log[i])
		}
		at += int64(layout.JournalBytes)
	}
	slices.SortFunc(events, func(a, b layout.Event) int { return cmp.Compare(b.Sequence, a.Sequence) })
	return events
}

// TestASealedHeapHasNoLog, and says so.
func TestASealedHeapHasNoLog(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "overrun")
	require.Contains(t, s.Ask("gh_log"), "never in audit mode")
	require.Contains(t, s.Ask("gh_history block"), "never in audit mode")
	require.Empty(t, s.AskJSON("gh_log")["events"])
}
