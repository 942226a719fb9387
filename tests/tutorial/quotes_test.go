package tutorial

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
	"github.com/glassheap/glassheap/internal/planted"
)

// TestTheDocumentQuotesWhatIsThere: the lines of code that the document shows, and those that its fixes change, are those of the
// programs and of the allocator.
func TestTheDocumentQuotesWhatIsThere(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, l := range Lessons {
		text, err := os.ReadFile(filepath.Join(l.Name, "main.go"))
		require.NoError(t, err)
		texts = append(texts, string(text))
		if l.Mistake != (planted.Mistake{}) {
			text, err := os.ReadFile(filepath.Join("../../allocator", filepath.FromSlash(l.Mistake.File)))
			require.NoError(t, err)
			changed, err := l.Mistake.Plant(string(text))
			require.NoError(t, err)
			texts = append(texts, changed)
		}
	}
	require.Equal(t, 2*len(Lessons), debugging.Quotes(t, document, texts...), "the program and the fix of each lesson")
}
