package render_test

import (
	"io"
	"testing"
	"time"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// auditedSummary is a heap in audit mode.
func auditedSummary() inspect.Summary {
	return inspect.Summary{
		Name: "sessions", Mode: "audit", Bins: 80, Slabs: 9, Spans: 1, Arenas: 1,
		Owner: target.Description{Kind: target.KindProcess, PID: ownerPID, Program: "cacheserver"},
	}
}

func operationOf(goroutine, sequence uint64) *inspect.Operation {
	o := &inspect.Operation{Goroutine: goroutine, Sequence: sequence, Stack: 4711, Addresses: []inspect.Address{0x4d2005, 0x4d2025, 0x4d2045}}
	named(o)
	return o
}

func leaksReport() *inspect.LeaksReport {
	unnamed := operationOf(9, 40_001)
	unnamed.Frames = nil
	return &inspect.LeaksReport{
		Heap: auditedSummary(), Live: 1_250, LiveBytes: 1_320_000, Blocks: 1_250, Bytes: 1_320_000, Left: 3,
		Groups: []inspect.LeakGroup{
			{Blocks: 1, Bytes: 1_200_000, Least: 1_200_000, Most: 1_200_000, Example: 0x7f6900040000, Oldest: operationOf(7, 12)},
			{Blocks: 1_200, Bytes: 96_000, Least: 40, Most: 120, Example: 0x7f6900000040, Oldest: unnamed},
			{Blocks: 40, Bytes: 20_000, Least: 500, Most: 500, Example: 0x7f6900008000, Unrecorded: "allocated while the heap was not audited"},
		},
		Notes: []string{"stacks are shown as addresses: give the executable: --exe FILE", "what was allocated before the audit began is not recorded: make the heap with ModeAudit"},
	}
}

func TestLeaks(t *testing.T) {
	r := leaksReport()
	goldenInColor(t, "leaks", func(w io.Writer, s render.Style) error { return render.Leaks(w, r, s) })
	golden(t, "leaks_none", func(w io.Writer, s render.Style) error {
		return render.Leaks(w, &inspect.LeaksReport{Heap: auditedSummary()}, s)
	})
}

// TestLeaksOfASampledHeap are estimates, but for the spans.
func TestLeaksOfASampledHeap(t *testing.T) {
	r := leaksReport()
	r.Heap.Mode, r.Sampled, r.Left = "sealed", 64, 0
	r.Groups[1].Samples = 19
	r.Groups[2].Unrecorded = "allocated before the profile began"
	r.Notes = []string{"profile=1/64: who allocated is recorded for one of 64 blocks, and for all spans; how many blocks a place has is estimated from that"}
	golden(t, "leaks_sampled", func(w io.Writer, s render.Style) error { return render.Leaks(w, r, s) })
}

func TestLeaksThatNothingRefersTo(t *testing.T) {
	r := leaksReport()
	r.Unreachable, r.Live, r.LiveBytes, r.RootBytes = true, 2_000_000, 123_456_789, 300<<20
	r.Elapsed, r.Stopped = 420*time.Millisecond, 400*time.Millisecond
	r.Groups[1].Below, r.Groups[1].BelowBytes = 3_600, 172_800
	goldenInColor(t, "leaks_unreachable", func(w io.Writer, s render.Style) error { return render.Leaks(w, r, s) })
	r.Groups, r.Blocks, r.Bytes, r.Left, r.Notes = nil, 0, 0, 0, nil
	golden(t, "leaks_unreachable_none", func(w io.Writer, s render.Style) error { return render.Leaks(w, r, s) })
}

func logEvents() []inspect.LogEvent {
	long := operationOf(1_000_000, 1_234_567)
	long.Frames[0].Function = "example.com/shop/server.(*ConnectionOfAVeryPatientCustomer).KeepEverythingForEver"
	unnamed := operationOf(9, 40_001)
	unnamed.Frames = nil
	return []inspect.LogEvent{
		{Kind: "free", Address: 0x7f6900000040, Bytes: 1_000_000, P: 1, By: long},
		{Kind: "alloc", Address: 0x7f6900040000, Bytes: 1, By: operationOf(7, 12)},
		{Kind: "alloc", Address: 0x7f6900040010, Bytes: 64, By: unnamed},
		{Kind: "alloc", Address: 0x7f6900040020, Bytes: 64},
	}
}

func TestLog(t *testing.T) {
	r := &inspect.LogReport{Heap: auditedSummary(), Events: logEvents(), Left: 1, Kept: 2_048, Ever: 1_234_567, Notes: []string{"stacks are shown as addresses: give the executable: --exe FILE"}}
	goldenInColor(t, "log", func(w io.Writer, s render.Style) error { return render.Log(w, r, s) })
	golden(t, "log_empty", func(w io.Writer, s render.Style) error {
		return render.Log(w, &inspect.LogReport{Heap: auditedSummary()}, s)
	})
}

func TestHistory(t *testing.T) {
	block := &inspect.Block{Address: 0x7f6900000040, Place: inspect.PlaceQuarantined, Size: 56, Requested: 50, Allocated: operationOf(7, 12), Freed: operationOf(9, 40_001)}
	r := &inspect.HistoryReport{
		Heap: auditedSummary(), Address: 0x7f6900000047, Events: logEvents()[1:3], Notes: []string{"mode sealed now: the log ends where the audit ended"},
		Now: &inspect.WhatisReport{Kind: "block", Sentence: "7 bytes into a quarantined block of 50 bytes (0x7f6900000040), bin 6, slab 4, block 1, arena 0", Block: block},
	}
	goldenInColor(t, "history", func(w io.Writer, s render.Style) error { return render.History(w, r, s) })
	r.Now = &inspect.WhatisReport{Kind: "outside", Sentence: "outside of this heap, whose range is 0x7f0000000000 to 0x7f0000100000"}
	r.Events, r.Notes = nil, nil
	golden(t, "history_of_nothing", func(w io.Writer, s render.Style) error { return render.History(w, r, s) })
}
