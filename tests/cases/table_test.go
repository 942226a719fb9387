package cases

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/cases.md as it is now")

// memoryCase is a row of cases.tsv.
type memoryCase struct{ name, origin, steps, mode, expected string }

func readCases(t *testing.T) (all []memoryCase) {
	file, err := os.Open("cases.tsv")
	require.NoError(t, err)
	defer file.Close()
	r := csv.NewReader(file)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, 5
	rows, err := r.ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		c := memoryCase{row[0], row[1], row[2], row[3], row[4]}
		switch {
		case c.name == "meta_quarantine_head" || c.name == "meta_stack_id_out_of_range":
			c.mode = "audit" // only there they are
		case strings.HasPrefix(c.name, "meta_"):
			continue // tests/matrix plays it
		}
		all = append(all, c)
	}
	return all
}

// TestEveryCase plays all cases and holds docs/cases.md against what was told of them.
func TestEveryCase(t *testing.T) {
	all := readCases(t)
	outcomes := make([]outcome, len(all))
	var played atomic.Int32
	t.Run("cases", func(t *testing.T) {
		for i, c := range all {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				require.Contains(t, scenarios, c.name, "no scenario plays it: %s", c.steps)
				outcomes[i] = perform(t, c.name, c.mode)
				played.Add(1)
			})
		}
	})
	known := map[string]bool{}
	var page strings.Builder
	page.WriteString(pageHead)
	for i, c := range all {
		known[c.name] = true
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s | %s |\n", c.name, c.origin, strings.ReplaceAll(c.steps, "|", "\\|"), c.mode, orDash(outcomes[i].Program), orDash(outcomes[i].Outside))
	}
	for name := range scenarios {
		require.True(t, known[name], "no case is called %s", name)
	}
	if int(played.Load()) < len(all) {
		return // of a part of the cases no page comes
	}
	const path = "../../docs/cases.md"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(page.String()), 0o666))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	if !t.Failed() {
		require.Equal(t, string(written), page.String(), "go test ./tests/cases -update")
	}
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

const pageHead = `# What is detected

Each row is a memory error that a program makes in a process of its own. "The program is told" is what Alloc, Free, Realloc,
UsableSize, Close or a caught fault report at that moment; "check says" is the answer from outside: of the running process, of
its memory file and of a snapshot, which have to agree. Both name the block that is to blame. A dash: nothing there to be told.
The table is made by a test (` + "`go test ./tests/cases -update`" + `) that plays every row. Damage to the heap's own metadata is in
[detection.md](detection.md).

| case | idea from | steps | mode | the program is told | check says |
|---|---|---|---|---|---|
`
