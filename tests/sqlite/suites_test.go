//go:build modules && linux

package main

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/upstream"
)

const (
	sqliteVersion = "modernc.org/sqlite@v1.62.0"
	memoryVersion = "modernc.org/memory@v1.12.1"
)

// endless are tests of modernc.org/sqlite that do not end on its own memory either.
var endless = []string{"TestRegisteredFunctions"}

// TestSQLite: the tests that modernc.org/sqlite has in its module pass with glassheap below it, as many as without.
func TestSQLite(t *testing.T) {
	original := upstream.Source(t, sqliteVersion)
	first := suite{program: upstream.TestProgram(t, original, "."), folder: original}
	names := slices.DeleteFunc(first.names(t), func(name string) bool { return slices.Contains(endless, name) })
	dropIn := upstream.Source(t, sqliteVersion)
	onGlassheap(t, dropIn)
	compare(t, first.run(t, names, ""), names, suite{program: upstream.TestProgram(t, dropIn, "."), folder: dropIn})
}

// aboutItsPages are tests of modernc.org/memory that look at the headers of its pages and at what it keeps of freed ones.
var aboutItsPages = []string{"TestUMalloc", "TestMalloc", "TestTrimClasses", "TestTrimBigPage", "TestFreedPool", "TestSlabBatch", "TestSlabBatchFreedPoolBound"}

// inside is what the other tests of modernc.org/memory want of the inside of an Allocator.
const inside = `
const (
	osPageSize = 1 << 12
	pageSize   = 1 << 16
)

// regions are how many pieces of memory an Allocator has got from the system.
func regions(a *Allocator) int {
	if h := a.opened(); h != nil {
		return int(h.MappedBytes() >> 20)
	}
	return 0
}
`

// TestMemory: the tests of modernc.org/memory pass, but for those about its own pages, with its counters and without.
func TestMemory(t *testing.T) {
	for _, tags := range []string{"", "memory.counters"} {
		t.Run("tags="+tags, func(t *testing.T) {
			original := upstream.Source(t, memoryVersion)
			first := suite{program: upstream.TestProgram(t, original, ".", "-tags="+tags), folder: original}
			names := slices.DeleteFunc(first.names(t), func(name string) bool { return slices.Contains(aboutItsPages, name) })
			dropIn := memoryOnGlassheap(t, original, tags != "")
			compare(t, first.run(t, names, ""), names, suite{program: upstream.TestProgram(t, dropIn, ".", "-tags="+tags), folder: dropIn})
		})
	}
}

// memoryOnGlassheap makes a folder with the drop-in's code and the original's tests.
func memoryOnGlassheap(t *testing.T, original string, counters bool) string {
	t.Helper()
	folder := t.TempDir()
	root := upstream.Repository(t)
	files, err := filepath.Glob(root + "/allocator/modernc/*")
	require.NoError(t, err)
	for _, file := range files {
		if name := filepath.Base(file); !strings.HasSuffix(name, "_test.go") && (strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "go.")) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
		}
	}
	text := testsOfMemory(t, filepath.Join(original, "all_test.go")) + inside
	if counters {
		text += "\nconst counters = true\n"
	} else {
		text += "\nconst counters = false\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "all_test.go"), []byte(text), 0o600))
	upstream.Go(t, folder, "mod", "edit", "-replace", "github.com/glassheap/glassheap="+root, "-require", "modernc.org/mathutil@v1.7.1")
	upstream.Go(t, folder, "mod", "tidy")
	return folder
}

// testsOfMemory is the file of tests without those about pages, and with another name for the regions' list.
func testsOfMemory(t *testing.T, path string) string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	require.NoError(t, err)
	before := len(file.Decls)
	file.Decls = slices.DeleteFunc(file.Decls, func(d ast.Decl) bool {
		f, ok := d.(*ast.FuncDecl)
		return ok && slices.Contains(aboutItsPages, f.Name.Name)
	})
	require.Len(t, file.Decls, before-len(aboutItsPages), "there are tests that are not there any more")
	var text bytes.Buffer
	require.NoError(t, format.Node(&text, files, file))
	return strings.ReplaceAll(text.String(), "len(alloc.regs)", "regions(&alloc)")
}
