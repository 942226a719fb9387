package query_test

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/inspect/query"
)

// someThings draws rows.
var someThings = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) thing {
	return thing{
		place: rapid.Uint64Range(0, 40).Draw(t, "address"), size: rapid.IntRange(-1, 20).Draw(t, "size"), known: rapid.Bool().Draw(t, "known"),
		state: rapid.SampledFrom([]string{"live", "free"}).Draw(t, "state"), site: rapid.StringMatching(`(main|cache|server)\.[a-c]{0,3}`).Draw(t, "site"), held: rapid.Bool().Draw(t, "held"),
	}
}), 0, 60)

// question is an expression, and the same in Go.
type question struct {
	text string
	of   func(t *thing) bool
}

func (t *thing) bytes() int {
	if t.known {
		return t.size
	}
	return 0
}

// simple draws a comparison.
func simple(t *rapid.T) question {
	n := rapid.IntRange(-2, 21).Draw(t, "n")
	part := rapid.SampledFrom([]string{"main", "cache.a", ".", "b", ""}).Draw(t, "part")
	return rapid.SampledFrom([]question{
		{fmt.Sprintf("size > %d", n), func(t *thing) bool { return t.bytes() > n }},
		{fmt.Sprintf("size <= %d", n), func(t *thing) bool { return t.bytes() <= n }},
		{fmt.Sprintf("size %% 3 == %d", n%3), func(t *thing) bool { return t.bytes()%3 == n%3 }},
		{fmt.Sprintf("size * 2 + 1 < %d", n), func(t *thing) bool { return t.bytes()*2+1 < n }},
		{fmt.Sprintf("address >= 0x%x", n+2), func(t *thing) bool { return t.place >= uint64(n+2) }},
		{fmt.Sprintf("size in [%d, 7, 9]", n), func(t *thing) bool { return slices.Contains([]int{n, 7, 9}, t.bytes()) }},
		{`state == "live"`, func(t *thing) bool { return t.state == "live" }},
		{`state != "live"`, func(t *thing) bool { return t.state != "live" }},
		{`state in ["free"]`, func(t *thing) bool { return t.state == "free" }},
		{`held`, func(t *thing) bool { return t.held }},
		{fmt.Sprintf("site contains %q", part), func(t *thing) bool { return strings.Contains(t.site, part) }},
		{fmt.Sprintf("site startsWith %q", part), func(t *thing) bool { return strings.HasPrefix(t.site, part) }},
		{fmt.Sprintf("site endsWith %q", part), func(t *thing) bool { return strings.HasSuffix(t.site, part) }},
		{`site matches "^main[.]a+$"`, func(t *thing) bool {
			rest, ok := strings.CutPrefix(t.site, "main.")
			return ok && rest != "" && strings.Trim(rest, "a") == ""
		}},
		{fmt.Sprintf("len(site) > %d", n), func(t *thing) bool { return len(t.site) > n }},
		{`upper(site) contains "CACHE"`, func(t *thing) bool { return strings.Contains(t.site, "cache") }},
		{fmt.Sprintf("(held ? size : -size) < %d", n), func(t *thing) bool {
			if t.held {
				return t.bytes() < n
			}
			return -t.bytes() < n
		}},
	}).Draw(t, "question")
}

// compound draws comparisons with and, or and not between them.
func compound(t *rapid.T, depth int) question {
	kind := 0
	if depth > 0 {
		kind = rapid.IntRange(0, 3).Draw(t, "kind")
	}
	switch kind {
	case 1:
		a, b := compound(t, depth-1), compound(t, depth-1)
		return question{"(" + a.text + ") && (" + b.text + ")", func(t *thing) bool { return a.of(t) && b.of(t) }}
	case 2:
		a, b := compound(t, depth-1), compound(t, depth-1)
		return question{"(" + a.text + ") or (" + b.text + ")", func(t *thing) bool { return a.of(t) || b.of(t) }}
	case 3:
		a := compound(t, depth-1)
		return question{"not (" + a.text + ")", func(t *thing) bool { return !a.of(t) }}
	}
	return simple(t)
}

// TestQueriesAreWhatGoSays: the rows that a query selects, their order and how many are left are those that a filter and a sort
// in plain Go give.
func TestQueriesAreWhatGoSays(t *testing.T) {
	orders := map[string]func(a, b *thing) int{
		"":        func(a, b *thing) int { return 0 },
		"address": func(a, b *thing) int { return cmp.Compare(a.place, b.place) },
		"-site":   func(a, b *thing) int { return cmp.Compare(b.site, a.site) },
		"state":   func(a, b *thing) int { return cmp.Compare(a.state, b.state) },
		"-held": func(a, b *thing) int {
			switch {
			case a.held == b.held:
				return 0
			case a.held:
				return -1
			}
			return 1
		},
		// What is not known comes last, both ways.
		"size": func(a, b *thing) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.bytes(), b.bytes()))
		},
		"-size": func(a, b *thing) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.bytes(), a.bytes()))
		},
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range orders {
			if !yield(name) {
				return
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		rows := someThings.Draw(t, "rows")
		asked, more := compound(t, 3), simple(t)
		order := rapid.SampledFrom(names).Draw(t, "order")
		limit := rapid.IntRange(0, 30).Draw(t, "limit")
		want := []thing{}
		for _, row := range rows {
			if asked.of(&row) && more.of(&row) {
				want = append(want, row)
			}
		}
		slices.SortStableFunc(want, func(a, b thing) int { return orders[order](&a, &b) })
		matching := len(want)
		if limit > 0 && len(want) > limit {
			want = want[:limit]
		}

		q, err := things.Parse(query.Words{Where: asked.text, And: []string{more.text}, Sort: order, Limit: limit})
		require.NoError(t, err, asked.text)
		selected, left, err := q.From(rows)
		require.NoError(t, err)
		require.Equal(t, want, selected, "%s, %s by %q", asked.text, more.text, order)
		require.Equal(t, matching-len(want), left)

		// And one after the other.
		list := q.Over(query.Of(rows))
		got := []thing{}
		for row, err := range list.Rows() {
			require.NoError(t, err)
			got = append(got, *row)
		}
		require.Equal(t, want, got)
		tally := list.Tally()
		require.Equal(t, len(want), tally.Listed)
		if order != "" {
			require.Equal(t, matching-len(want), tally.Left)
		} else {
			require.Equal(t, matching > len(want), tally.More)
		}
	})
}

func rank(t *thing) int {
	if t.known {
		return 0
	}
	return 1
}

func cells(t *testing.T, w query.Words, rows ...thing) (list [][]any) {
	t.Helper()
	q, err := things.Parse(w)
	require.NoError(t, err)
	for row, err := range q.Over(query.Of(rows)).Cells() {
		require.NoError(t, err)
		list = append(list, slices.Clone(row))
	}
	return list
}

func TestColumns(t *testing.T) {
	one := thing{place: 0x7f00, size: 5, state: "live", site: "main.f", held: true}
	require.Equal(t, [][]any{{uint64(0x7f00), nil, "live"}}, cells(t, query.Words{}, one))
	one.known = true
	require.Equal(t, [][]any{{"main.f", 5, true}}, cells(t, query.Words{Columns: " site,size , held"}, one))
	q, err := things.Parse(query.Words{Columns: "held", Where: "size > 1", Sort: "-address"})
	require.NoError(t, err)
	require.True(t, q.Chosen() && q.Selects())
	require.True(t, q.Names("held") && q.Names("size") && q.Names("address"))
	require.False(t, q.Names("site", "state") || q.Conditioned("held"))
	require.Equal(t, "held", q.Over(query.Of([]thing{})).Heads()[0].Name)
}

// TestErrorsPoint: each says what is wrong, shows where, and says what would be right.
func TestErrorsPoint(t *testing.T) {
	for _, c := range []struct {
		words query.Words
		want  string
	}{
		{query.Words{Where: `sise > 64 && held`}, `--where: things have no column "sise": did you mean size?
    sise > 64 && held
    ^^^^
The columns are address, size, state, site, held. ` + "`glassheap help columns`" + ` says
what each is.`},
		{query.Words{Where: `held && size > "x"`}, `--where: > does not go between a number and a text
    held && size > "x"
                 ^`},
		{query.Words{Where: `size + 1`}, `--where: this is a number, not true or false
    size + 1
    ^^^^^^^^
A condition compares: size > 64, state == "live", site contains "cache".`},
		{query.Words{Where: `held or state == "dead"`}, `--where: state is never "dead"
    held or state == "dead"
                     ^^^^^^
It is one of live, free.`},
		{query.Words{Where: `size >`}, `--where: something is missing at the end
    size >
         ^`},
		{query.Words{Where: `size > 1`, And: []string{`é > 1`}}, `--where: things have no column "é"
    é > 1
    ^
The columns are address, size, state, site, held. ` + "`glassheap help columns`" + ` says
what each is.`},
		{query.Words{Columns: "size,  stat,site"}, `--columns: things have no column "stat": did you mean state?
    size,  stat,site
           ^^^^
The columns are address, size, state, site, held. ` + "`glassheap help columns`" + ` says
what each is.`},
		{query.Words{Columns: "size,,site"}, `--columns: a column's name is missing
    size,,site
         ^
The columns are address, size, state, site, held. ` + "`glassheap help columns`" + ` says
what each is.`},
		{query.Words{Sort: "-sizes"}, `--sort: things have no column "sizes": did you mean size?
    -sizes
     ^^^^^
The columns are address, size, state, site, held. ` + "`glassheap help columns`" + ` says
what each is.`},
		{query.Words{Limit: -1}, `--limit: -1 rows can't be listed: write a number of rows, or 0 for all`},
		{query.Words{Where: `filter([1], true)`}, `--where: expressions here have no loops, variables, ranges, lists to pick from or parts of texts
    filter([1], true)
                ^^^^`},
	} {
		_, err := things.Parse(c.words)
		require.EqualError(t, err, c.want)
	}
	q, err := things.Parse(query.Words{Where: "10 % size == 0"})
	require.NoError(t, err)
	_, err = q.Matches(&thing{})
	require.EqualError(t, err, "--where: integer divide by zero\n    10 % size == 0\n       ^")
}

// TestRowsEndWithTheirError, wherever it comes from.
func TestRowsEndWithTheirError(t *testing.T) {
	broken := errors.New("the memory is gone")
	var rows iter.Seq2[*thing, error] = func(yield func(*thing, error) bool) {
		_ = yield(&thing{size: 3, known: true}, nil) && yield(nil, broken)
	}
	for _, w := range []query.Words{{}, {Where: "size > 1"}, {Sort: "size"}, {Where: "size > 5"}} {
		q, err := things.Parse(w)
		require.NoError(t, err)
		var last error
		for _, err := range q.Over(rows).Cells() {
			last = err
		}
		require.ErrorIs(t, last, broken, "%+v", w)
	}
}
