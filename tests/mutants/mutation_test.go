package mutants

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the module's folder, from here.
const root = "../.."

// mutation is one deliberate mistake in the allocator.
type mutation struct {
	name string
	file string // from the folder allocator
	old  string // occurs once in it
	new  string
	why  string // what is wrong then
}

// mutations is the list of all.
func mutations() []mutation {
	return slices.Concat(blockMutations, slabMutations, pageMutations, formatMutations, auditMutations, guardMutations)
}

// source is the file that the mutation changes.
func (m mutation) source() string {
	return filepath.Join(root, "allocator", filepath.FromSlash(m.file))
}

// apply is the file's text with the mistake in it.
func (m mutation) apply(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(m.source())
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), m.old), "%s: in %s this must occur once: %s", m.name, m.file, m.old)
	return strings.Replace(string(text), m.old, m.new, 1)
}

// TestEveryMutationFits: each text is still there, and what comes of it is Go.
func TestEveryMutationFits(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutations() {
		require.NotEqual(t, m.old, m.new, m.name)
		require.NotEmpty(t, m.why, m.name)
		require.False(t, names[m.name], "two are called %s", m.name)
		names[m.name] = true
		_, err := parser.ParseFile(token.NewFileSet(), m.file, m.apply(t), parser.SkipObjectResolution)
		require.NoError(t, err, m.name)
	}
	require.GreaterOrEqual(t, len(names), 40)
}
