package planted

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAMistakeThatDoesNotFitIsNotPlanted.
func TestAMistakeThatDoesNotFitIsNotPlanted(t *testing.T) {
	t.Parallel()
	m := Mistake{Package: "allocator", File: "slab.go", Right: "here", Wrong: "there"}
	for _, text := range []string{"", "here and here"} {
		_, err := m.Plant(text)
		require.ErrorContains(t, err, "allocator/slab.go has this")
	}
}
