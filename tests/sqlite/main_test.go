package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRatiosAreTakenWithinRounds(t *testing.T) {
	original := &contender{Name: "original", Milliseconds: []float64{100, 200, 100}}
	slow := &contender{Name: "slow", Most: 1.1, Milliseconds: []float64{120, 220, 150}}
	for _, c := range []*contender{original, slow} {
		c.judge(original)
	}
	require.InDelta(t, 1, original.Ratio, 1e-9)
	require.InDelta(t, 1.2, slow.Ratio, 1e-9)
	require.InDelta(t, 150, slow.Median, 1e-9)
	var text bytes.Buffer
	require.NoError(t, write(&text, []*contender{original, slow}))
	require.Regexp(t, `slow +150 +120 +220 +1.20 +at most 1.10 +missed`, text.String())
}

// TestTheWorkloadRuns on glassheap in both modes, with every row where it belongs.
func TestTheWorkloadRuns(t *testing.T) {
	program := filepath.Join(t.TempDir(), "workload")
	said, err := exec.Command("go", "build", "-o", program, "./workload").CombinedOutput()
	require.NoError(t, err, "%s", said)
	for _, mode := range []string{"sealed", "audit"} {
		c := &contender{Name: mode, program: program, environment: "mode=" + mode}
		require.NoError(t, c.measure(context.Background(), 1000))
		require.Len(t, c.Milliseconds, 1)
	}
}
