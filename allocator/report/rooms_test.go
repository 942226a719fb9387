package report_test

import (
	"testing"

	"github.com/glassheap/glassheap/internal/debugging"
)

// TestImports: the allocator brings this package into every program that uses it, and inspect uses it without the allocator.
func TestImports(t *testing.T) {
	debugging.Imports(t, func(path string) bool { return path == "github.com/glassheap/glassheap/allocator/layout" })
}
