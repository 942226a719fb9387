package query_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/query"
)

// thing is a row of the tests.
type thing struct {
	place uint64
	size  int
	known bool // whether its size is
	state string
	site  string
	held  bool
}

var things = query.Set[thing]{
	Rows: "things",
	Columns: []query.Column[thing]{
		{Head: query.Head{Name: "address", Kind: query.Address, Meaning: "where it is"}, Read: func(t *thing) any { return t.place }},
		{Head: query.Head{Name: "size", Kind: query.Bytes, Meaning: "how large it is"}, Read: func(t *thing) any {
			if !t.known {
				return nil
			}
			return t.size
		}},
		{Head: query.Head{Name: "state", Kind: query.Word, Choices: []string{"live", "free"}, Meaning: "what it is"}, Read: func(t *thing) any { return t.state }},
		{Head: query.Head{Name: "site", Kind: query.Text, Meaning: "who made it"}, Read: func(t *thing) any { return t.site }},
		{Head: query.Head{Name: "held", Kind: query.Truth, Meaning: "whether somebody holds it"}, Read: func(t *thing) any { return t.held }},
	},
	Usual: []string{"address", "size", "state"},
}

// TestHostileExpressions: there is nothing that hangs, panics or fills the memory: whatever an expression is, it is refused, or it is true or false of a row at once.
func TestHostileExpressions(t *testing.T) {
	long := thing{place: 1 << 46, size: 1 << 40, known: true, state: "live", site: strings.Repeat("a", 8<<10)}
	for _, text := range []string{
		// Loops, and what makes lists to loop over.
		`all(1..1000000, all(1..1000000, # > 0))`, `count(1..1000000000, true) > 0`, `filter([1, 2], true) == []`, `reduce(1..9, #acc + #) > 1`,
		`size in 1..1000000000`, `len(1..1000000) > 0`, `map([site], {# + #}) == []`, `sum(1..1000000) > 1`, `sort([3, 1]) == []`, `any([site], # contains "a")`,
		// Texts that grow.
		`len(repeat(site, 1000000)) > 0`, `site + site == site`, `let a = site + site; let b = a + a; len(b) > 0`, `len(site + "x") > 0`, `len((held ? site : site) + site) > 0`,
		`join([site, site]) == ""`, `len(toJSON(site)) > 0`, `replace(site, "a", site) == ""`, `split(site, "") == []`,
		`("a" + "b") + ("c" + "d") == site`, `lower(site) + upper(site) == ""`,
		// Reaching for what is none of its business.
		`$env == nil`, `$env["size"] > 0`, `get($env, "size") > 0`, `now() > date("2020-01-01")`, `site.foo`, `site[0:100] == "a"`, `site[0] == "a"`, `[1, 2][0] == 1`, `{"a": 1}.a == 1`,
		`os.Exit(1)`, `print(site)`, `size?.x`, `duration("1h") > 0`, `fromBase64(site) == ""`, `true; false`, `if true { true } else { false }`, `env(1)`,
		// Regular expressions.
		`site matches "(a*)*b"`, `site matches "((a{30}){30}){30}"`, `site matches "(((a{100}){100}){100}){100}"`, `site matches site`, `site matches "("`, `site matches ("a" + "b")`,
		`site matches "` + strings.Repeat("(a|b)*", 100) + `"`, `site matches "(?:a?){200}a{200}"`,
		// Numbers.
		`size % 0 == 1`, `size / 0 > 1`, `2 ** 1000000 > 1`, `1e999 > size`, `99999999999999999999999 > size`, `-9223372036854775808 < size`, `size * size * size * size > 0`, `size ?? 1 > 1`,
		// Shapes.
		strings.Repeat("(", 2000) + "true" + strings.Repeat(")", 2000), strings.Repeat("!", 3000) + "true", strings.Repeat("-", 3000) + "1 > 0", strings.Repeat("held && ", 400) + "held",
		strings.Repeat("[", 3000), strings.Repeat("held ? ", 500), `"` + strings.Repeat("x", 5000), strings.Repeat("a", 5000), "size in [" + strings.Repeat("1,", 1500) + "1]",
		"\x00", "\xff\xfe", "size > \x1b[31m1", "size\n>\n1", "'", "\"", "`", "//", "/* ", "size > 1 // x", "size >", "> size", "", "size", `"live"`, "nil", "nil == nil", "size == nil", "state == 1", "size == \"1\"",
		"size > 1 | held", "size | len() > 1", "not", "in", "#", "#.size", ".size > 1", "held.held", "::", "size := 1", "size = 1", "lét > 1", "size > 𝟙", "held and held or not held",
	} {
		q, err := things.Parse(query.Words{Where: text})
		if err == nil {
			_, err = q.Matches(&long)
		}
		if err != nil {
			var pointing *query.Error
			require.ErrorAs(t, err, &pointing, "%q", text)
			require.NotContains(t, err.Error(), "\x1b", "%q", text)
			for line := range strings.Lines(err.Error()) {
				require.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), 200, "%q", text)
			}
		}
	}
}
