package dlvscripts

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const docs = "../docs/delve.md"

// shown are the transcripts of the documentation: each is a session that is played anew.
var shown = map[string]func(*testing.T) string{
	"overrun": func(t *testing.T) string {
		r := record(startHeaps(t, "overrun")).typed("gh_watch block", "continue")
		return r.text.String()
	},
	"init": func(t *testing.T) string {
		program, err := heaps()
		require.NoError(t, err)
		text := record(start(t, "exec", program, "--", "overrun")).typed("gh_break init", "break main.stop", "continue").text.String()
		return text
	},
	"bins": func(t *testing.T) string {
		return record(startHeaps(t, "shop")).typed("gh_bins", "gh_map 34").text.String()
	},
	"whatis": func(t *testing.T) string {
		return record(startHeaps(t, "shop")).typed("gh_whatis block", "gh_hexdump block").text.String()
	},
	"damaged": func(t *testing.T) string {
		s := startHeaps(t, "shop")
		_, h := s.look("orders")
		dump, err := h.Dump("slab 12")
		require.NoError(t, err)
		for _, v := range dump.Values {
			if v.Field == "FreeCount" {
				s.poke(uint64(dump.Address)+v.Offset, 77)
			}
		}
		return record(s).typed("gh_check", "gh_structs --wrong").text.String()
	},
}

// TestDocumentation plays the sessions that the documentation shows: it shows what a reader will see.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(docs)
	require.NoError(t, err)
	place := regexp.MustCompile("(?s)<!-- transcript (\\w+) -->\n```text\n(.*?)```")
	seen := 0
	played := place.ReplaceAllStringFunc(string(text), func(old string) string {
		seen++
		name := place.FindStringSubmatch(old)[1]
		require.Contains(t, shown, name)
		return "<!-- transcript " + name + " -->\n```text\n" + strings.TrimRight(shown[name](t), "\n") + "\n```"
	})
	require.Equal(t, len(shown), seen, "each transcript is shown once")
	if *update {
		require.NoError(t, os.WriteFile(docs, []byte(played), 0o644))
	} else {
		require.Equal(t, string(text), played, "read the difference, then run the test with -update")
	}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		require.True(t, json.Valid([]byte(block[1])), block[1])
	}
}
