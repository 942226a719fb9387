//go:build modules && linux && amd64

package arrow

import (
	"testing"

	"github.com/glassheap/glassheap/internal/upstream"
)

// TestPlantedBugs: mistakes in the code of arrow-go itself are found, with the stack of the planted line; and in the module as it
// is the same programs find nothing.
func TestPlantedBugs(t *testing.T) {
	var all []upstream.Planted
	for _, b := range bugs {
		all = append(all, upstream.Planted{Bug: b.Bug, Arguments: []string{b.workload}, Told: b.told})
	}
	upstream.RequireAllTold(t, "github.com/apache/arrow-go/v18", arrowVersion, "./workload", all)
}
