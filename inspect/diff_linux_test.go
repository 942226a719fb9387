package inspect_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestDiffOfRunsAndBuilds: two runs of one build are compared by address, or by line where addresses differ; two builds by
// function, in spite of what was inlined.
func TestDiffOfRunsAndBuilds(t *testing.T) {
	pie := "-buildmode=pie"
	for name, c := range map[string]struct {
		first, second []string
		compared      string
	}{
		"one build":                         {nil, nil, "addresses"},
		"one build, at different addresses": {[]string{pie}, []string{pie}, "lines"},
		"two builds":                        {nil, []string{"-gcflags=-l"}, "functions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exe := buildLeaker(t, c.first...)
			before := startLeaker(t, exe, "audit", "0")
			path := filepath.Join(t.TempDir(), "before.snapshot")
			_, err := inspect.Snapshot(t.Context(), before.target, path, inspect.SnapshotOptions{Metadata: true})
			require.NoError(t, err)
			s, err := target.Open(t.Context(), path, target.Options{})
			require.NoError(t, err)
			defer s.Close()
			after := startLeaker(t, buildLeaker(t, c.second...), "audit", "300")
			q, err := inspect.DiffColumns.Parse(query.Words{Where: `stack contains "keepMore" or blocks != 0`})
			require.NoError(t, err)
			d, err := inspect.Diff(t.Context(), openNamed(t, s, exe), after.open(t, ""), inspect.DiffOptions{Query: q})
			require.NoError(t, err)
			require.False(t, d.SameHeap)
			require.Equal(t, c.compared, d.Compared)
			require.Len(t, d.Groups, 1, "all but what keepMore keeps is as it was: %+v", d.Groups)
			g := d.Groups[0]
			require.Equal(t, []inspect.Amount{{}, {Blocks: 300, Bytes: 12_000}}, []inspect.Amount{g.Was, g.Is})
			require.Equal(t, "main.keepMore", g.Allocated.Frames[0].Function)
		})
	}
}
