package planted

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFolder: packages of this module and of another one of the repository are found, and their sources.
func TestFolder(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"internal/planted/folder.go", "tests/realworld/pipeline/go.mod"} {
		folder, err := Folder(t.Context(), filepath.Dir(file))
		require.NoError(t, err)
		require.FileExists(t, filepath.Join(folder, filepath.Base(file)))
		source, err := Mistake{Package: filepath.Dir(file), File: filepath.Base(file)}.Source(t.Context())
		require.NoError(t, err)
		require.Equal(t, filepath.Join(folder, filepath.Base(file)), source)
	}
}
