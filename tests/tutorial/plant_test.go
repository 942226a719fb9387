package tutorial

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/planted"
)

// TestEveryMistakeFits: what the lessons change is still in the allocator, and what comes of it is Go.
func TestEveryMistakeFits(t *testing.T) {
	t.Parallel()
	for _, l := range Lessons {
		require.DirExists(t, l.Name)
		if l.Mistake == (planted.Mistake{}) {
			continue
		}
		text, err := os.ReadFile(filepath.Join("../../allocator", filepath.FromSlash(l.Mistake.File)))
		require.NoError(t, err)
		changed, err := l.Mistake.Plant(string(text))
		require.NoError(t, err)
		require.Equal(t, strings.Count(string(text), "\n"), strings.Count(changed, "\n"), "%s: a debugger shows the lines of the sound file", l.Name)
		_, err = parser.ParseFile(token.NewFileSet(), l.Mistake.File, changed, parser.SkipObjectResolution)
		require.NoError(t, err, l.Name)
	}
}
