package matrix

import (
	_ "embed" // cases.tsv
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed cases.tsv
var table string

// row is a line of the table of cases.
type row struct {
	name     string
	steps    []string // "damage", "check", "repair"
	modes    []string // of the heap
	expected string   // "CODE in Struct.Field", and what it has to be after a repair
}

// rows reads the lines of the table that are about metadata.
func rows(t *testing.T) (rows []row) {
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	require.Equal(t, "case\tsteps\tmode\texpected", lines[0])
	for _, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		require.Len(t, cells, 4, "%q", line)
		if !strings.HasPrefix(cells[0], "meta_") {
			continue
		}
		rows = append(rows, row{cells[0], strings.Fields(cells[1]), strings.Split(cells[2], ","), cells[3]})
	}
	return rows
}

// stop is a moment at which a victim stands still, with what is damaged then.
type stop struct {
	name    string // of the case; "end" after the last one
	damaged bool
	place   string // "Slab 17.Stride"
	value   string // that it holds now
}

func (s stop) String() string {
	if s.damaged {
		return s.name
	}
	return s.name + ", repaired"
}

// plan lists the stops of a victim that plays rows in a mode, without the places; and the victim's arguments.
func plan(rows []row, how, mode string) (arguments []string, stops []stop) {
	arguments = []string{how, mode}
	for _, r := range rows {
		if !slices.Contains(r.modes, mode) {
			continue
		}
		arguments = append(append(arguments, r.name), r.steps...)
		damaged := false
		for _, step := range r.steps {
			if step == "check" {
				stops = append(stops, stop{name: r.name, damaged: damaged})
				continue
			}
			damaged = step == "damage"
		}
	}
	return arguments, append(stops, stop{name: "end"})
}

var stopLine = regexp.MustCompile(`stopped: (\w+) (nothing|([^\n"=]+)=([^\n"]+))`)

// told is the stop that a victim's line tells of.
func told(t *testing.T, line string) stop {
	m := stopLine.FindStringSubmatch(line)
	require.NotNil(t, m, "%q", line)
	return stop{name: m[1], damaged: m[2] != "nothing", place: m[3], value: m[4]}
}

// sameStop expects the victim to stand where the plan says.
func sameStop(t *testing.T, planned, found stop) {
	found.place, found.value = "", ""
	require.Equal(t, planned, found)
}

// demand is what an answer has to say by a row: CODE, and the kinds of struct and field.
func (r row) demand(t *testing.T) (code, kind, field string) {
	m := regexp.MustCompile(`^([a-z-]+) in ([A-Za-z.]+)\.([A-Za-z()]+)(, then healthy)?$`).FindStringSubmatch(r.expected)
	require.NotNil(t, m, "%q", r.expected)
	repaired := slices.Contains(r.steps, "repair")
	require.Equal(t, repaired, m[4] != "", fmt.Sprintf("%q: what a repair leads to", r.expected))
	return m[1], m[2], m[3]
}
