package render_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/render"
)

// blockList is a list of an image's blocks, made anew for each text: a list is gone over once.
func blockList(t *testing.T, m *image, w query.Words) *inspect.Listing {
	t.Helper()
	q, err := inspect.BlockColumns.Parse(w)
	require.NoError(t, err)
	l, err := m.open(t).ListBlocks(context.Background(), inspect.BlockOptions{}, q)
	require.NoError(t, err)
	return l
}

func TestListOfBlocks(t *testing.T) {
	list := func(m *image, w query.Words) func(io.Writer, render.Style) error {
		return func(w2 io.Writer, s render.Style) error { return render.List(w2, blockList(t, m, w), s) }
	}
	goldenInColor(t, "list_blocks", list(sessionsImage(), query.Words{Where: `size > 30 || state in ["depot", "withdrawn"]`, Limit: 12}))
	golden(t, "list_blocks_sorted", list(sessionsImage(), query.Words{Sort: "-size", Limit: 4, Columns: "size,kind,room,state"}))
	golden(t, "list_blocks_plain", list(plainImage(), query.Words{Where: "size > 1"}))
	golden(t, "list_blocks_audited", list(auditImage(), query.Words{Where: `state == "quarantined"`, Columns: "address,size,goroutine,sequence,freed_sequence,age"}))
}

// TestListsOfAnyLength: the rows beyond those that decide the widths are there, too.
func TestListsOfAnyLength(t *testing.T) {
	type row struct{ n int }
	set := query.Set[row]{Rows: "rows", Usual: []string{"n"}, Columns: []query.Column[row]{{Head: query.Head{Name: "n", Kind: query.Count}, Read: func(r *row) any { return r.n }}}}
	q, err := set.Parse(query.Words{})
	require.NoError(t, err)
	rows := make([]row, 3000)
	for i := range rows {
		rows[i].n = i * i * i
	}
	var text bytes.Buffer
	require.NoError(t, render.List(&text, inspect.ListOf(inspect.Summary{}, q, rows, nil), render.Style{}))
	lines := strings.Split(text.String(), "\n")
	require.Equal(t, "26,973,008,999", strings.TrimSpace(lines[3000]))
	require.Equal(t, "3,000 rows", lines[3002])
	full := errors.New("no space left")
	require.ErrorIs(t, render.List(broken{full}, inspect.ListOf(inspect.Summary{}, q, rows, nil), render.Style{}), full)
	require.ErrorIs(t, render.ListJSON(broken{full}, inspect.ListOf(inspect.Summary{}, q, rows, nil)), full)
}

// TestTheEndOfALineFitsATerminal: the last column is cut there, and whole in a pipe.
func TestTheEndOfALineFitsATerminal(t *testing.T) {
	r := leaksReport()
	text := func(width int) string {
		q, err := inspect.LeakColumns.Parse(query.Words{Columns: "bytes,stack"})
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, render.List(&b, inspect.ListOf(r.Heap, q, r.Groups, nil), render.Style{Width: width}))
		return b.String()
	}
	require.Contains(t, text(0), "main.main")
	require.NotContains(t, text(60), "main.main")
	require.Contains(t, text(60), "…")
}

// TestListJSON: what is written is JSON, whose keys are the columns.
func TestListJSON(t *testing.T) {
	for _, w := range []query.Words{{}, {Columns: "stack,address,size", Limit: 3}, {Where: "size > 100000000"}} {
		var b bytes.Buffer
		require.NoError(t, render.ListJSON(&b, blockList(t, auditImage(), w)))
		value := map[string]any{}
		require.NoError(t, jsonInto(&b, &value))
		for _, row := range value["blocks"].([]any) {
			for key, v := range row.(map[string]any) {
				require.Contains(t, "stack,address,size"+strings.Join(inspect.BlockColumns.Usual, ","), key)
				if key == "address" {
					require.Regexp(t, "^0x[0-9a-f]+$", v)
				}
			}
		}
		require.Equal(t, "sessions", value["heap"].(map[string]any)["name"])
	}
}

func psReport() *inspect.PsReport {
	return &inspect.PsReport{
		Processes: 1_234, Ended: 2, Refused: []inspect.RefusedTo{{User: "postgres", Processes: 12}, {Processes: 1}},
		Heaps: []inspect.HeapRow{
			{PID: 4711, Program: "cacheserver", User: "www", Heap: "sessions", Number: 1, Hold: inspect.HoldOwn, Maker: 4711, Base: 0x7f68f0000000, Mode: "sealed", Backing: "memfd", InUse: 3 << 20, Mapped: 4 << 20, Memory: 5 << 20, Version: 2, Several: true},
			{PID: 4711, Program: "cacheserver", User: "www", Heap: "rows", Number: 2, Hold: inspect.HoldOwn, Maker: 4711, Base: 0x7f69f0000000, Mode: "audit", Backing: "anonymous", InUse: 40960, Mapped: 1 << 20, Version: 2, Several: true},
			{PID: 4712, Program: "recorder", User: "www", Heap: "sessions", Number: 1, Hold: inspect.HoldHeld, Maker: 4711, Mode: "sealed", Backing: "memfd", InUse: 3 << 20, Mapped: 4 << 20, Memory: 5 << 20, Version: 2},
			{PID: 5000, Program: "cat", User: "root", Heap: "or\x1b[31mders", Number: 1, Hold: inspect.HoldOrphaned, Maker: 4000, Backing: "memfd", Memory: 1 << 30},
		},
	}
}

func TestPs(t *testing.T) {
	r := psReport()
	colored := func(w io.Writer, s render.Style) error { return render.Ps(w, r, s) }
	goldenWithin(t, "ps", 110, colored)
	sameAsFile(t, "ps.color.golden", readable(textOf(t, colored, true)))
	golden(t, "ps_none", func(w io.Writer, s render.Style) error {
		return render.Ps(w, &inspect.PsReport{Processes: 1}, s)
	})
}

func diffReport() *inspect.DiffReport {
	before, after := auditedSummary(), auditedSummary()
	return &inspect.DiffReport{
		Before: before, After: after, SameHeap: true, Compared: "addresses", Left: 2,
		Was: inspect.Amount{Blocks: 1_000, Bytes: 64_000}, Is: inspect.Amount{Blocks: 2_201, Bytes: 139_000}, New: inspect.Amount{Blocks: 1_301, Bytes: 80_000},
		Gone: inspect.Amount{Blocks: 100, Bytes: 5_000}, Kept: inspect.Amount{Blocks: 900, Bytes: 59_000},
		Bins: []inspect.DiffBin{
			{Size: 64, Was: inspect.Amount{Blocks: 1_000, Bytes: 64_000}, Is: inspect.Amount{Blocks: 2_200, Bytes: 99_000}},
			{Is: inspect.Amount{Blocks: 1, Bytes: 40_000}},
		},
		Groups: []inspect.DiffGroup{
			{Is: inspect.Amount{Blocks: 1_301, Bytes: 80_000}, New: inspect.Amount{Blocks: 1_301, Bytes: 80_000}, Example: 0x7f6900000040, Allocated: operationOf(7, 1_234)},
			{Was: inspect.Amount{Blocks: 100, Bytes: 5_000}, Gone: inspect.Amount{Blocks: 100, Bytes: 5_000}, Example: 0x7f6900008000, Unrecorded: "allocated while the heap was not audited"},
		},
		Notes: []string{"of 900 blocks no allocation is recorded: one at the same address and of the same size is taken for the same one, though it may have been freed and allocated again"},
	}
}

func TestDiff(t *testing.T) {
	r := diffReport()
	goldenInColor(t, "diff", func(w io.Writer, s render.Style) error { return render.Diff(w, r, s) })
	r.SameHeap, r.Left = false, 0
	golden(t, "diff_of_two_heaps", func(w io.Writer, s render.Style) error { return render.Diff(w, r, s) })
	none := &inspect.DiffReport{Before: r.Before, After: r.After, SameHeap: true}
	golden(t, "diff_nothing", func(w io.Writer, s render.Style) error { return render.Diff(w, none, s) })
}
