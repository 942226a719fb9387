//go:build modules && linux

package arrow

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/upstream"
)

// arrowVersion is the version that allocator/arrow is tested with.
const arrowVersion = "github.com/apache/arrow-go/v18@v18.8.0"

// onGlassheap puts the module's default allocator on glassheap: its file is another one, the rest of the module is as it was.
func onGlassheap(t *testing.T, folder string) {
	t.Helper()
	text, err := os.ReadFile("testdata/go_allocator.go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "arrow/memory/go_allocator.go"), text, 0o600))
	importGlassheap(t, folder)
}

// importGlassheap lets a copy of Arrow's module import this repository's.
func importGlassheap(t *testing.T, folder string) {
	t.Helper()
	root := upstream.Repository(t)
	const core = "github.com/glassheap/glassheap"
	upstream.Go(t, folder, "mod", "edit", "-go=1.26.0", "-require", core+"@v0.0.0", "-require", core+"/allocator/arrow@v0.0.0",
		"-replace", core+"="+root, "-replace", core+"/allocator/arrow="+filepath.Join(root, "allocator/arrow"))
	upstream.Go(t, folder, "mod", "tidy")
}
