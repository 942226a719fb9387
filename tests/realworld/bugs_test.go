package realworld

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryBugFits: what the bugs change is still in the programs, and what comes of it is Go with the same lines.
func TestEveryBugFits(t *testing.T) {
	t.Parallel()
	for _, b := range Bugs {
		source, err := b.Mistake.Source(t.Context())
		require.NoError(t, err)
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		wrong, err := b.Mistake.Plant(string(text))
		require.NoError(t, err, b.Name)
		require.Equal(t, strings.Count(string(text), "\n"), strings.Count(wrong, "\n"), "%s: stacks name lines of the sound file", b.Name)
		_, err = parser.ParseFile(token.NewFileSet(), source, wrong, parser.SkipObjectResolution)
		require.NoError(t, err, b.Name)
	}
}
