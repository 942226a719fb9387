package dlvscripts

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

const docs = "../docs/delve.md"

// shown are the transcripts of the documentation: sessions that are played anew, three of them one after the other.
func shown(t *testing.T) map[string]string {
	program := heaps(t)
	overrun := debugging.Record(startHeaps(t, "overrun").Delve).Typed("gh_watch block", "continue")
	structs := debugging.Record(start(t, "exec", program, "--", "overrun").Delve).Typed("gh_break init", "break main.stop", "continue")

	s := startHeaps(t, "shop")
	bins, whatis, damaged := debugging.Record(s.Delve), debugging.Record(s.Delve), debugging.Record(s.Delve)
	bins.Typed("gh_bins", "gh_map 34")
	whatis.Typed("gh_whatis block", "gh_hexdump block")
	_, h := s.look("orders")
	dump, err := h.Dump("slab 12")
	require.NoError(t, err)
	for _, v := range dump.Values {
		if v.Field == "FreeCount" {
			s.poke(uint64(dump.Address)+v.Offset, 77)
		}
	}
	damaged.Typed("gh_check", "gh_structs --wrong")

	audit := debugging.Record(startHeaps(t, "stale").Delve).Typed("gh_check", "gh_log", "gh_history block")

	stack := debugging.Record(startHeaps(t, "visit").Delve).Typed("gh_break stack main.greet", "gh_break stack main.greet free", "continue", "continue")

	texts := map[string]string{}
	for name, r := range map[string]*debugging.Transcript{"overrun": overrun, "init": structs, "bins": bins, "whatis": whatis, "damaged": damaged, "audit": audit, "stack": stack} {
		texts[name] = r.Text.String()
	}
	return texts
}

// TestDocumentation plays the sessions that the documentation shows: it shows what a reader will see.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(docs)
	require.NoError(t, err)
	place := regexp.MustCompile("(?s)<!-- transcript (\\w+) -->\n```text\n(.*?)```")
	texts, seen := shown(t), 0
	played := place.ReplaceAllStringFunc(string(text), func(old string) string {
		seen++
		name := place.FindStringSubmatch(old)[1]
		require.Contains(t, texts, name)
		return "<!-- transcript " + name + " -->\n```text\n" + strings.TrimRight(texts[name], "\n") + "\n```"
	})
	require.Equal(t, len(texts), seen, "each transcript is shown once")
	if *update {
		require.NoError(t, os.WriteFile(docs, []byte(played), 0o644))
	} else {
		require.Equal(t, string(text), played, "read the difference, then run the test with -update")
	}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		require.True(t, json.Valid([]byte(block[1])), block[1])
	}
}
