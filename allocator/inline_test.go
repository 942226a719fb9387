package allocator

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheFastPathIsInlined: what users call costs them one call, and what the two functions behind it are made of none.
func TestTheFastPathIsInlined(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-m", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, name := range []string{"Alloc", "Malloc", "Free", "FreePointer", "binOf", "magazine", "pageEntry", "push", "samples"} {
		require.Regexp(t, `(?m)can inline \(\*Heap\)\.`+name+"$", string(out))
	}
}
