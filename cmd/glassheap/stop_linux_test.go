package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/target"
)

// TestStopTellsItsValues: who gives --stop a wrong value, or none, reads all values and what each does; so does who completes it.
func TestStopTellsItsValues(t *testing.T) {
	for _, arguments := range [][]string{{"check", "--stop", "sometimes", "1"}, {"check", "--stop"}, {"__complete", "check", "--stop", ""}} {
		out, _ := exec.Command("glassheap", arguments...).CombinedOutput()
		for _, s := range target.Stoppings {
			require.NotEmpty(t, s.Means())
			require.Contains(t, string(out), s.String(), "%q", arguments)
			require.Contains(t, string(out), s.Means(), "%q", arguments)
		}
	}
}
