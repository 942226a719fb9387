package allocator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReportsAreLimited: ten at once, then one a second, and none is forgotten in the count.
func TestReportsAreLimited(t *testing.T) {
	var l reportLimit
	now := time.Unix(1000, 0)
	written, counted := 0, 0
	ask := func() {
		if write, left := l.allow(now); write {
			written++
			counted += left + 1
		}
	}
	for range 100 {
		ask()
	}
	require.Equal(t, reportsAtOnce, written)
	now = now.Add(reportEvery / 2)
	ask()
	require.Equal(t, reportsAtOnce, written)
	now = now.Add(reportEvery)
	ask()
	ask()
	require.Equal(t, reportsAtOnce+1, written)
	require.Equal(t, 100+2, counted)
	now = now.Add(time.Hour)
	for range 100 {
		ask()
	}
	require.Equal(t, 2*reportsAtOnce+1, written)
}
