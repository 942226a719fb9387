package render_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// auditImage is a heap that was sealed at first and is audited since.
var auditImage = sync.OnceValue(func() *image {
	return newImage(allocator.Options{Name: "sessions", StackDepth: 3, QuarantineBytes: 64 << 10}, serveAudited)
})

// serveAudited leaves blocks from before the audit, blocks and spans that are in the quarantine, and some that were in it.
func serveAudited(h *allocator.Heap) {
	alloc := func(size int) []byte {
		b, err := h.Alloc(size)
		must(err)
		copy(b, "session of the user grace")
		return b
	}
	early := [][]byte{alloc(50), alloc(50), alloc(50)}
	must(h.SetMode(allocator.ModeAudit))
	must(h.Free(early[1]))
	names := [][]byte{}
	for range 40 {
		names = append(names, alloc(50))
	}
	var large [][]byte
	for range 30 {
		large = append(large, alloc(3000))
	}
	reports := [][]byte{alloc(40_000), alloc(41_000)}
	done := make(chan error)
	go func() { // another goroutine frees
		for _, b := range [][]byte{names[3], names[4], names[9], reports[0]} {
			if err := h.Free(b); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	must(<-done)
	for _, b := range large[:28] { // more than the quarantine holds: its oldest blocks leave it
		must(h.Free(b))
	}
	must(h.Free(names[20]))
}

func auditBlock(t *testing.T, place inspect.Place, requested, n int) *inspect.Block {
	t.Helper()
	return auditImage().block(t, place, requested, n)
}

func TestAuditedHeapIsHealthy(t *testing.T) {
	golden(t, "audit_check_healthy", checked(t, auditImage()))
}

func TestAuditedBlocks(t *testing.T) {
	m := auditImage()
	names := m.slab(t, "names", func(s inspect.SlabRow) bool { return s.Size == 56 })
	blocks := func(address inspect.Address) func(io.Writer, render.Style) error {
		r, err := m.open(t).Blocks(uint64(address))
		require.NoError(t, err)
		return func(w io.Writer, s render.Style) error { return render.Blocks(w, r, s, false) }
	}
	goldenInColor(t, "audit_blocks", blocks(names.Base))
	golden(t, "audit_blocks_large", blocks(auditBlock(t, inspect.PlaceQuarantined, 3000, 0).Address))
	golden(t, "audit_blocks_span", blocks(m.span(t, 1).Address))
	golden(t, "audit_blocks_span_held", blocks(m.span(t, 0).Address))
}

func TestAuditedWhatis(t *testing.T) {
	m := auditImage()
	goldenInColor(t, "audit_whatis_quarantined", whatis(t, m, auditBlock(t, inspect.PlaceQuarantined, 3000, 2).Address+7, "block"))
	golden(t, "audit_whatis_live", whatis(t, m, auditBlock(t, inspect.PlaceLive, 50, 6).Address, "block"))
	golden(t, "audit_whatis_before_the_audit", whatis(t, m, auditBlock(t, inspect.PlaceLive, 50, 0).Address, "block"))
	golden(t, "audit_whatis_poisoned", whatis(t, m, auditBlock(t, inspect.PlaceCached, 50, 0).Address, "block"))
	golden(t, "audit_whatis_span", whatis(t, m, m.span(t, 1).Address+9, "span"))
	golden(t, "audit_whatis_span_held", whatis(t, m, m.span(t, 0).Address+9, "span"))
	golden(t, "audit_whatis_span_held_guard", whatis(t, m, m.span(t, 0).Address+10*layout.PageBytes+9, "guard"))
}

func TestAuditedMetadataHasNames(t *testing.T) {
	m := auditImage()
	id := m.open(t).Identity()
	golden(t, "audit_whatis_journal", whatis(t, m, inspect.Address(id.Journals)+17, "metadata"))
	golden(t, "audit_whatis_stack", whatis(t, m, inspect.Address(uint64(id.Stacks)+layout.StackTableBytes+layout.StackHeadBytes+9), "metadata"))
	golden(t, "audit_whatis_record", whatis(t, m, inspect.Address(id.Records+layout.RecordsBytes+3*layout.RecordBytes+9), "metadata"))
}

// named gives an operation frames, as a program has that is not stripped.
func named(o *inspect.Operation) {
	o.Frames = []inspect.Frame{
		{Function: "example.com/shop/server.must[example.com/shop/server.Session]", File: "/src/shop/server/must.go", Line: 9, Inlined: true},
		{Function: "example.com/shop/server.(*Session).SetName", File: "/src/shop/server/session.go", Line: 81},
		{Function: "main.main", File: "/src/shop/main.go", Line: 40},
	}
}

func TestStacksWithSymbols(t *testing.T) {
	m := auditImage()
	r, err := m.open(t).Whatis(uint64(auditBlock(t, inspect.PlaceQuarantined, 3000, 2).Address + 7))
	require.NoError(t, err)
	named(r.Block.Allocated)
	named(r.Block.Freed)
	goldenInColor(t, "audit_whatis_symbols", func(w io.Writer, s render.Style) error { return render.Whatis(w, r, s) })
}

func TestAuditedWriteAfterFree(t *testing.T) {
	m := auditImage()
	b := auditBlock(t, inspect.PlaceQuarantined, 3000, 2)
	m.write(t, b.Address+100, []byte("late")...)
	goldenInColor(t, "audit_check_write_after_free", checked(t, m))
	golden(t, "audit_whatis_write_after_free", whatis(t, m, b.Address+100, "block"))
	golden(t, "audit_whatis_neighbour", whatis(t, m, b.Address+inspect.Address(b.Size)+layout.SealBytes, "block"))
	cached := auditBlock(t, inspect.PlaceCached, 50, 0)
	m.write(t, cached.Address, 'x')
	golden(t, "audit_check_poisoned", checked(t, m))
}

func TestAuditedLists(t *testing.T) {
	m := auditImage()
	h := m.open(t)
	bins, err := h.Bins(context.Background())
	require.NoError(t, err)
	golden(t, "audit_bins", func(w io.Writer, s render.Style) error { return render.Bins(w, bins, s, false) })
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	goldenWithin(t, "audit_slabs", 90, func(w io.Writer, s render.Style) error { return render.Slabs(w, slabs, s) })
	stats, err := h.Stats(context.Background())
	require.NoError(t, err)
	golden(t, "audit_stats", func(w io.Writer, s render.Style) error { return render.Stats(w, stats, s) })
	drawing := func(o inspect.MapOptions) func(io.Writer, render.Style) error {
		r, err := h.Map(context.Background(), o)
		require.NoError(t, err)
		return func(w io.Writer, s render.Style) error { return render.Map(w, r, s) }
	}
	goldenInColor(t, "audit_map", drawing(inspect.MapOptions{Bin: -1}))
	golden(t, "audit_map_slab", drawing(inspect.MapOptions{Bin: -1, Address: uint64(auditBlock(t, inspect.PlaceQuarantined, 3000, 0).Address)}))
}

// TestNobodyIsNamedWithoutARecord: a heap that was never audited has the same answers as ever.
func TestNobodyIsNamedWithoutARecord(t *testing.T) {
	m := sessionsImage()
	text := textOf(t, whatis(t, m, m.block(t, inspect.PlaceLive, 50, 9).Address, "block"), false)
	require.False(t, strings.Contains(text, "allocated by") || strings.Contains(text, "freed by"), text)
}
