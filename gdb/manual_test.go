package gdb

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

const manual = "../docs/gdb.md"

// sessions are those that the manual shows, by the names that it has for them.
var sessions = map[string]string{
	"check":     "break main.ready\nrun overflow\ncontinue\nglassheap check\nglassheap map b",
	"whatis":    "break main.ready\nrun overflow\nglassheap whatis b.array + 6\nprint $gh_block(b.array + 6) == $gh_block(b.array)",
	"watch":     "break main.ready\nrun overflow\nglassheap watch b\ncontinue\nbacktrace",
	"audit":     "break main.ready\nrun audit\ncontinue\nglassheap whatis b\nprint $gh_whatis(b.array)",
	"init":      "glassheap break init\ntbreak main.ready\nrun",
	"stack":     "glassheap break stack main.fillSpan\nrun",
	"violation": "glassheap break violation\nrun double-free\nbacktrace",
	"print":     "set print pretty on\nbreak github.com/glassheap/glassheap/allocator.OnSlabReady\nrun\nprint *slab\ndelete\nbreak main.ready\ncontinue\nprint *h",
	"help":      "glassheap help",
}

// How much of a session is shown, and how much of a line.
const (
	mostLines  = 46
	widestLine = 100
)

// TestTheManualIsTrue plays the sessions of the manual and holds it against what came out. With -update it is rewritten.
func TestTheManualIsTrue(t *testing.T) {
	t.Parallel()
	needGDB(t)
	text, err := os.ReadFile(manual)
	require.NoError(t, err)
	shown := 0
	block := regexp.MustCompile(`(?s)<!-- transcript (\w+) -->\n(.*?)<!-- end -->\n`)
	fresh := block.ReplaceAllStringFunc(string(text), func(found string) string {
		name := block.FindStringSubmatch(found)[1]
		commands, ok := sessions[name]
		require.True(t, ok, "the manual shows a session %q that nobody plays", name)
		shown++
		transcript := debugging.NormalGDB(play(t, "set filename-display basename\n"+commands, unoptimisedVictim(t)))
		_, transcript, _ = strings.Cut(transcript, "\n")
		return "<!-- transcript " + name + " -->\n```text\n" + strings.TrimSpace(readable(transcript)) + "\n```\n<!-- end -->\n"
	})
	require.Equal(t, len(sessions), shown)
	if *update {
		require.NoError(t, os.WriteFile(manual, []byte(fresh), 0o644))
	}
	text, err = os.ReadFile(manual)
	require.NoError(t, err)
	require.Equal(t, string(text), fresh, "go test ./gdb -run TestTheManualIsTrue -update")
}

// readable shortens what would only tire a reader.
func readable(transcript string) string {
	transcript = strings.ReplaceAll(transcript, "github.com/glassheap/glassheap/", "")
	lines := strings.Split(transcript, "\n")
	for i, line := range lines {
		switch runes := []rune(line); {
		case len(runes) <= widestLine:
		case strings.Contains(line, ` = "`): // a sentence
			at := strings.LastIndexByte(line[:widestLine], ' ')
			lines[i] = line[:at] + "\n     " + line[at:]
		default:
			lines[i] = string(runes[:widestLine-1]) + "…"
		}
	}
	if len(lines) > mostLines {
		lines = append(lines[:mostLines], "…")
	}
	return strings.Join(lines, "\n")
}
