//go:build modules && linux && amd64

package main

import (
	"strconv"
	"testing"

	"github.com/glassheap/glassheap/internal/upstream"
)

// TestPlantedBugs: mistakes in the code of modernc.org/sqlite itself are found, with the stack of the planted line; and in the
// module as it is the same scripts find nothing.
func TestPlantedBugs(t *testing.T) {
	var all []upstream.Planted
	for _, b := range bugs {
		arguments := append([]string{"-lookaside=" + strconv.FormatBool(b.lookaside)}, b.script...)
		all = append(all, upstream.Planted{Bug: b.Bug, Arguments: arguments, Told: b.told})
	}
	upstream.RequireAllTold(t, "modernc.org/sqlite", sqliteVersion, "./script", all)
}
