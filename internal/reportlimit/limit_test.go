package reportlimit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReportsAreLimited: ten at once, then one a second, and none is forgotten in the count.
func TestReportsAreLimited(t *testing.T) {
	var l Limit
	now := time.Unix(1000, 0)
	written, counted := 0, 0
	ask := func() {
		if write, left := l.Allow(now); write {
			written++
			counted += left + 1
		}
	}
	for range 100 {
		ask()
	}
	require.Equal(t, AtOnce, written)
	now = now.Add(Every / 2)
	ask()
	require.Equal(t, AtOnce, written)
	now = now.Add(Every)
	ask()
	ask()
	require.Equal(t, AtOnce+1, written)
	require.Equal(t, 100+2, counted)
	now = now.Add(time.Hour)
	for range 100 {
		ask()
	}
	require.Equal(t, 2*AtOnce+1, written)
}
