package render_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestSnapshotOfAnAuditedHeap: records, journals and stacks are in it.
func TestSnapshotOfAnAuditedHeap(t *testing.T) {
	m := auditImage()
	path := filepath.Join(t.TempDir(), "audited.snapshot")
	_, err := inspect.Snapshot(context.Background(), m.target(), path, inspect.SnapshotOptions{})
	require.NoError(t, err)
	s, err := target.OpenSnapshot(path)
	require.NoError(t, err)
	defer s.Close()
	r, err := inspect.Check(context.Background(), s, inspect.CheckOptions{})
	require.NoError(t, err)
	require.Empty(t, r.Findings)
	require.Equal(t, m.check(t).Heap.Quarantined, r.Heap.Quarantined)

	h, err := inspect.Open(context.Background(), s)
	require.NoError(t, err)
	address := uint64(auditBlock(t, inspect.PlaceQuarantined, 3000, 2).Address)
	here, err := m.open(t).Whatis(address)
	require.NoError(t, err)
	there, err := h.Whatis(address)
	require.NoError(t, err)
	require.Equal(t, here.Block, there.Block)
	require.NotEmpty(t, there.Block.Freed.Addresses)
}
