package matrix

import (
	"flag"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

var update = flag.Bool("update", false, "write docs/detection.md")

func TestMain(m *testing.M) { debugging.Main(m) }

// The victim as programs are shipped, with symbols and without.
func victim(t *testing.T) string { return debugging.Program(t, "./testdata/victim") }
func strippedVictim(t *testing.T) string {
	return debugging.Program(t, "./testdata/victim", "-ldflags=-s -w")
}

// The modes of a heap.
const (
	sealed = "sealed"
	plain  = "plain"
)

// TestMatrix asks through every door about every damage. A door must name what was damaged, and all must say the same.
func TestMatrix(t *testing.T) {
	rows := rows(t)
	a := &answers{all: map[string]map[string][]answer{}, stops: map[string][]stop{}}
	asked := t.Run("ask", func(t *testing.T) {
		for name, ask := range map[string]func(*testing.T, []row){
			"process":       func(t *testing.T, rows []row) { a.processes(t, rows, sealed) },
			"process,plain": func(t *testing.T, rows []row) { a.processes(t, rows, plain) },
			"delve":         a.delve,
			"gdb":           a.gdb,
			"gdb,stripped":  a.gdbStripped,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ask(t, rows)
			})
		}
	})
	if !asked {
		return
	}
	for _, mode := range []string{sealed, plain} {
		for i, s := range a.stops[mode] {
			t.Run(mode+"/"+s.String(), func(t *testing.T) { a.compare(t, rows, mode, i) })
		}
	}
	if t.Failed() {
		return
	}
	a.page(t, rows)
}

// compare holds what the doors say at one stop against what is damaged, and against each other.
func (a *answers) compare(t *testing.T, rows []row, mode string, i int) {
	s, told := a.stops[mode][i], a.all[mode]
	require.NotEmpty(t, told)
	for _, door := range doors {
		if told[door] == nil {
			continue
		}
		require.Len(t, told[door], len(a.stops[mode]), door)
		found := told[door][i].findings
		if !s.damaged {
			require.Empty(t, found, "%s: nothing is damaged", door)
			continue
		}
		row := rows[slices.IndexFunc(rows, func(r row) bool { return r.name == s.name })]
		require.NotNil(t, a.naming(t, row, mode, door, i), "%s does not say that %s holds %s, but: %+v", door, s.place, s.value, found)
	}
	for door, answers := range told {
		same := "process"
		if sayStructs[door] {
			same = "structs"
		}
		require.Equal(t, told[same][i].findings, answers[i].findings, "%s says something else than %s", door, same)
	}
	require.ElementsMatch(t, fields(told["process"][i].findings), fields(told["structs"][i].findings), "check and structs name different fields")
}

// naming is the finding of a door that names what is damaged at a stop: the struct, the field, what it holds, what it should
// hold. nil: there is none.
func (a *answers) naming(t *testing.T, r row, mode, door string, i int) *finding {
	code, kind, field := r.demand(t)
	s := a.stops[mode][i]
	found := a.all[mode][door][i].findings
	for j, f := range found {
		right := f.Struct+"."+f.Field == s.place && f.Found == s.value && f.Expected != "" && f.Expected != f.Found && f.Address != ""
		coded := sayStructs[door] || f.Code == code && f.Severity == "damage"
		if right && coded && kindOf(f.Struct) == kind && fieldOf(f.Field) == field {
			return &found[j]
		}
	}
	return nil
}

// kindOf is the kind of a struct: "Slab" for "Slab 17".
func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, " ")
	return kind
}

var index = regexp.MustCompile(`\[\d+\]$`)

// fieldOf is a field without an index.
func fieldOf(field string) string { return index.ReplaceAllString(field, "") }

// fields are those findings that are about a field, with what check and structs both tell of them.
func fields(found []finding) (about []finding) {
	for _, f := range found {
		if f.Struct != "" {
			about = append(about, finding{Struct: f.Struct, Field: f.Field, Found: f.Found, Expected: f.Expected, Why: f.Why})
		}
	}
	return about
}
