package tutorial

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheDocumentQuotesWhatIsThere: the lines of code that the document shows, and those that its fixes change, are those of the
// programs and of the allocator.
func TestTheDocumentQuotesWhatIsThere(t *testing.T) {
	t.Parallel()
	there := map[string]bool{"…": true, "": true}
	add := func(text string) {
		for line := range strings.Lines(text) {
			there[strings.TrimSpace(line)] = true
		}
	}
	for _, l := range Lessons {
		text, err := os.ReadFile(filepath.Join(l.Name, "main.go"))
		require.NoError(t, err)
		add(string(text))
		if l.Mistake != (Mistake{}) {
			text, err := os.ReadFile(filepath.Join("../../allocator", filepath.FromSlash(l.Mistake.File)))
			require.NoError(t, err)
			changed, err := l.Mistake.plant(string(text))
			require.NoError(t, err)
			add(changed)
		}
	}
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```(go|diff)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, blocks, 2*len(Lessons), "the program and the fix of each lesson")
	for _, block := range blocks {
		for line := range strings.Lines(block[2]) {
			if block[1] == "diff" && line[0] == '+' {
				continue
			}
			line = strings.TrimSpace(strings.TrimPrefix(line, "-"))
			require.True(t, there[line], "%q is quoted, but is not there", line)
		}
	}
}
