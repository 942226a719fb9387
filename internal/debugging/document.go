package debugging

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Scene is a transcript that a document shows, behind a line <!-- transcript NAME -->.
type Scene struct {
	Name  string
	Finds string // what has to be in it, a regular expression, whatever else it says
	Play  func(t *testing.T) string
}

// shown is a transcript in a document: its name, and what it says.
var shown = regexp.MustCompile("(?s)<!-- transcript ([\\w -]+) -->\n```text\n(.*?)\n```")

// Document plays scenes, at the same time, and holds the transcripts of a document against what came out. With update set the
// document is made to say that.
func Document(t *testing.T, path string, update bool, scenes []Scene) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	told := map[string]string{}
	for _, found := range shown.FindAllStringSubmatch(string(text), -1) {
		require.NotContains(t, told, found[1], "shown twice")
		told[found[1]] = found[2]
	}
	var lock sync.Mutex
	played := map[string]string{}
	t.Run("sessions", func(t *testing.T) {
		for _, s := range scenes {
			t.Run(strings.ReplaceAll(s.Name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				transcript := s.Play(t)
				require.Regexp(t, s.Finds, transcript)
				require.Contains(t, told, s.Name, "the document does not show it")
				lock.Lock()
				played[s.Name] = transcript
				lock.Unlock()
				if !update {
					require.Equal(t, told[s.Name], transcript, "%s: read the difference, then run the test with -update", path)
				}
			})
		}
	})
	require.Len(t, told, len(scenes), "the document shows a session that nobody plays")
	if update {
		fresh := shown.ReplaceAllStringFunc(string(text), func(old string) string {
			name := shown.FindStringSubmatch(old)[1]
			if transcript, ok := played[name]; ok {
				return "<!-- transcript " + name + " -->\n```text\n" + transcript + "\n```"
			}
			return old // its debugger is not here
		})
		require.NoError(t, os.WriteFile(path, []byte(fresh), 0o644))
	}
}

// Quotes holds the lines of code that a document shows, in blocks of go and diff, against the lines of these texts: each that is
// not added by a diff is there. It returns how many blocks it has seen.
func Quotes(t *testing.T, path string, texts ...string) int {
	t.Helper()
	there := map[string]bool{"…": true, "": true}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			there[strings.TrimSpace(line)] = true
		}
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	blocks := quoted.FindAllStringSubmatch(string(text), -1)
	for _, block := range blocks {
		for line := range strings.Lines(block[2]) {
			if block[1] == "diff" && line[0] == '+' {
				continue
			}
			line = strings.TrimSpace(strings.TrimPrefix(line, "-"))
			require.True(t, there[line], "%q is quoted, but is not there", line)
		}
	}
	return len(blocks)
}

var quoted = regexp.MustCompile("(?s)```(go|diff)\n(.*?)```")
