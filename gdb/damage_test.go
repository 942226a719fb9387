package gdb

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// TestDamagedHeaps stops at each damage that the victim does to its own heap: the answers are those of the command line, the
// printers come to an end, and nothing is ever more than a sentence (play looks for tracebacks).
func TestDamagedHeaps(t *testing.T) {
	t.Parallel()
	needGDB(t)
	source, err := os.ReadFile("testdata/victim/main.go")
	require.NoError(t, err)
	plain, audit, found := strings.Cut(string(source), "func damageAudit(")
	require.True(t, found)
	for kind, source := range map[string]string{"damage": plain, "audit damage": audit} {
		t.Run(kind, func(t *testing.T) { eachDamage(t, kind, strings.Count(source, "\twith(h, ")) })
	}
}

// eachDamage stops at each of so many damages.
func eachDamage(t *testing.T, kind string, kinds int) {
	const stop = "print main.damaged ;; glassheap check --json ;; cli check --json ;; glassheap structs --wrong --json ;; cli structs --wrong --json" +
		" ;; print *h ;; output $gh_whatis(h.data) ;; python everything() ;; continue"
	each := 3
	if debugging.Share(1, each) {
		each = 1
	}
	kinds = (kinds + each - 1) / each
	transcript := play(t, fmt.Sprintf("set environment GLASSHEAP_TEST_EACH %d\nbreak main.ready\nrun %s\ncontinue\nuntil-exit %s", each, kind, stop), victim(t))
	names, here, outside := debugging.Answers(transcript, "print main.damaged"), debugging.Answers(transcript, "glassheap check --json"), debugging.Answers(transcript, "cli check --json")
	structs, structsOutside := debugging.Answers(transcript, "glassheap structs --wrong --json"), debugging.Answers(transcript, "cli structs --wrong --json")
	require.Len(t, names, kinds+1, "a stop for each damage, and the last one")
	for i, name := range names[:kinds] {
		require.NotContains(t, name, `= ""`, "DWARF tells what is damaged")
		if strings.HasPrefix(here[i], "glassheap:") {
			require.Equal(t, strings.TrimSpace(outside[i]), strings.TrimSpace(here[i]), "%s", name)
			continue
		}
		require.Equal(t, facts(t, outside[i]), facts(t, here[i]), "%s", name)
		require.Equal(t, facts(t, structsOutside[i]), facts(t, structs[i]), "%s", name)
		var report struct {
			Findings []any `json:"findings"`
		}
		require.NoError(t, json.Unmarshal([]byte(here[i]), &report))
		require.NotEmpty(t, report.Findings, "%s", name)
	}
	require.Contains(t, here[kinds], `"findings": []`, "all is repaired at the end")
	for _, line := range debugging.Answers(transcript, "print *h") {
		require.Less(t, len(line), 20_000)
		require.Contains(t, line, "$")
	}
}

// TestImpostors looks into memory that only begins like a heap.
func TestImpostors(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, "break main.ready\nrun impostor\nglassheap check\nglassheap whatis b\nprint $gh_whatis(b.array)\nprint $gh_block(b.array)", victim(t))
	require.Regexp(t, `^glassheap: .*(holds no glassheap heap|has 2 heaps)`, answer(t, transcript, "glassheap check"))
	require.NotContains(t, transcript, "\x1b[31m", "a foreign name with a colour in it")
	require.Contains(t, answer(t, transcript, "print $gh_block(b.array)"), "= 0")
}
