package upstream

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Planted is a bug, how the program is made to reach it, and who tells it.
type Planted struct {
	Bug
	Arguments []string
	Told      []Told
}

// RequireAllTold plants bugs in a copy of a module's version, and builds the program with it and with the module as it is. Each bug
// has to be told by all who are to tell it; with the module as it is the same arguments have nothing found.
func RequireAllTold(t *testing.T, module, version, program string, all []Planted) {
	t.Helper()
	copied := Source(t, version)
	var bugs []Bug
	for _, p := range all {
		bugs = append(bugs, p.Bug)
	}
	lines := PlantAll(t, copied, bugs)
	glassheap := filepath.Join(t.TempDir(), "glassheap")
	Go(t, Repository(t), "build", "-o", glassheap, "./cmd/glassheap")
	sound := BuildWith(t, program, "", "")
	wrong := BuildWith(t, program, module, copied)
	for _, p := range all {
		t.Run(p.Name, func(t *testing.T) {
			for _, want := range p.Told {
				r := RunWithBug(t, glassheap, sound, want.Mode, "", p.Arguments...)
				require.True(t, r.Done, "%s", r.Said)
				require.Empty(t, r.Findings(), "the module as it is, %s", want.Mode)
				RunWithBug(t, glassheap, wrong, want.Mode, p.Name, p.Arguments...).RequireTold(t, want, lines[p.Name])
			}
		})
	}
}
