//go:build modules && linux && amd64

package main

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/upstream"
)

// TestPlantedBugs: mistakes in the code of modernc.org/sqlite itself are found, with the stack of the planted line; and in the
// module as it is the same scripts find nothing.
func TestPlantedBugs(t *testing.T) {
	copied := upstream.Source(t, sqliteVersion)
	var plants []upstream.Bug
	for _, b := range bugs {
		plants = append(plants, b.Bug)
	}
	lines := upstream.PlantAll(t, copied, plants)
	glassheap := filepath.Join(t.TempDir(), "glassheap")
	upstream.Go(t, upstream.Repository(t), "build", "-o", glassheap, "./cmd/glassheap")
	sound := upstream.BuildWith(t, "./script", "", "")
	wrong := upstream.BuildWith(t, "./script", "modernc.org/sqlite", copied)
	for _, b := range bugs {
		t.Run(b.Name, func(t *testing.T) {
			arguments := append([]string{"-lookaside=" + strconv.FormatBool(b.lookaside)}, b.script...)
			for _, want := range b.told {
				r := upstream.RunWithBug(t, glassheap, sound, want.Mode, "", arguments...)
				require.True(t, r.Done, "%s", r.Said)
				require.Empty(t, r.Findings(), "the module as it is, %s", want.Mode)
				upstream.RunWithBug(t, glassheap, wrong, want.Mode, b.Name, arguments...).RequireTold(t, want, lines[b.Name])
			}
		})
	}
}
