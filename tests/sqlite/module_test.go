//go:build modules && linux

package main

import (
	"testing"

	"github.com/glassheap/glassheap/internal/upstream"
)

// onGlassheap is what README.md tells the users of a module to do.
func onGlassheap(t *testing.T, folder string) {
	t.Helper()
	root := upstream.Repository(t)
	upstream.Go(t, folder, "mod", "edit", "-replace", "modernc.org/memory="+root+"/allocator/modernc", "-replace", "github.com/glassheap/glassheap="+root)
	upstream.Go(t, folder, "mod", "tidy")
}
