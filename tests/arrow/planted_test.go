//go:build modules && linux && amd64

package arrow

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/upstream"
)

// TestPlantedBugs: mistakes in the code of arrow-go itself are found, with the stack of the planted line; and in the module as it
// is the same programs find nothing.
func TestPlantedBugs(t *testing.T) {
	copied := upstream.Source(t, arrowVersion)
	var plants []upstream.Bug
	for _, b := range bugs {
		plants = append(plants, b.Bug)
	}
	lines := upstream.PlantAll(t, copied, plants)
	glassheap := filepath.Join(t.TempDir(), "glassheap")
	upstream.Go(t, upstream.Repository(t), "build", "-o", glassheap, "./cmd/glassheap")
	sound := upstream.BuildWith(t, "./workload", "", "")
	wrong := upstream.BuildWith(t, "./workload", "github.com/apache/arrow-go/v18", copied)
	for _, b := range bugs {
		t.Run(b.Name, func(t *testing.T) {
			for _, want := range b.told {
				r := upstream.RunWithBug(t, glassheap, sound, want.Mode, "", b.workload)
				require.True(t, r.Done, "%s", r.Said)
				require.Empty(t, r.Findings(), "the module as it is, %s", want.Mode)
				upstream.RunWithBug(t, glassheap, wrong, want.Mode, b.Name, b.workload).RequireTold(t, want, lines[b.Name])
			}
		})
	}
}
