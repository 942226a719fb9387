package dlvscripts

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// table takes the names out of a table of names.star: those in square brackets, by the name before them.
func table(t *testing.T, name string) map[string][]string {
	text, err := files.ReadFile("names.star")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "\n"+name+" = ")
	require.True(t, found, name)
	rest, _, _ = strings.Cut(rest, "\n\n")
	names := map[string][]string{}
	for _, list := range regexp.MustCompile(`(?s)(?:"(\w+)": )?\[(.*?)\]`).FindAllStringSubmatch(rest, -1) {
		for _, word := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(list[2], -1) {
			names[list[1]] = append(names[list[1]], word[1])
		}
	}
	require.NotEmpty(t, names)
	return names
}

// TestEveryNameIsOneOfTheFormat fails when a field or a constant is renamed that a script still calls by its old name.
func TestEveryNameIsOneOfTheFormat(t *testing.T) {
	t.Parallel()
	schema := layout.CurrentSchema()
	known := map[string]bool{}
	for name, fields := range table(t, "named_fields") {
		s, ok := schema.Struct(name)
		require.True(t, ok, "the format has no struct %s", name)
		for _, field := range fields {
			known[field] = true
			require.True(t, hasField(s, field), "the format has no field %s.%s", name, field)
		}
	}
	for _, name := range table(t, "named_constants")[""] {
		known[name] = true
		require.Contains(t, schema.Constants, name, "the format has no constant %s", name)
	}
	for _, name := range table(t, "named_heap_fields")[""] {
		_, ok := reflect.TypeFor[allocator.Heap]().FieldByName(name)
		require.True(t, ok, "allocator.Heap has no field %s", name)
	}
	// And no script goes by a name that is not in the tables.
	for _, name := range []string{"version", "PagesPerArena", "DescriptorsEnd", "End"} {
		known[name] = true // what the scripts derive
	}
	for _, part := range parts {
		text, err := files.ReadFile(part + ".star")
		require.NoError(t, err)
		for _, use := range regexp.MustCompile(`\["([A-Z]\w*)"\]`).FindAllStringSubmatch(string(text), -1) {
			if _, isStruct := schema.Struct(use[1]); !isStruct {
				require.True(t, known[use[1]], "%s.star uses %s, which is not in the tables of names.star", part, use[1])
			}
		}
	}
}

func hasField(s layout.SchemaStruct, name string) bool {
	for _, f := range s.Fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

// TestNoScriptIsLeftOut fails when a file is not in the list of parts: it would be embedded, but never loaded.
func TestNoScriptIsLeftOut(t *testing.T) {
	t.Parallel()
	entries, err := files.ReadDir(".")
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".star"))
	}
	require.ElementsMatch(t, names, parts)
}
