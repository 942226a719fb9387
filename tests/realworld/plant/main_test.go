package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlant: what is built is there.
func TestPlant(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out strings.Builder
	require.NoError(t, plant(t.Context(), &out, []string{"forgotten"}))
	require.FileExists(t, strings.TrimSpace(out.String()))
	require.Contains(t, out.String(), os.Getenv("TMPDIR"))
}

// TestPlantSaysWhatThereIs, when it is asked for something else.
func TestPlantSaysWhatThereIs(t *testing.T) {
	for _, arguments := range [][]string{nil, {"frob"}, {"early", "twice"}} {
		err := plant(t.Context(), nil, arguments)
		require.ErrorContains(t, err, "twice        cache: the server dies when a client hangs up")
	}
}
