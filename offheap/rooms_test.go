package offheap_test

import (
	"strings"
	"testing"

	"github.com/glassheap/glassheap/internal/debugging"
)

// TestImports: whoever uses the package brings the allocator into a program, and nothing else.
func TestImports(t *testing.T) {
	debugging.Imports(t, func(path string) bool { return strings.HasPrefix(path, "github.com/glassheap/glassheap/allocator") })
}
